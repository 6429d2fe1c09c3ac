"""A small S3 server that misbehaves on purpose, the table of its faults, and the readers measured with it.

store.py    objects -> what S3 would answer           (no sockets, no faults)
fault.py    one fault, as a value -> a bent answer    (no sockets)
server.py   answers on a socket, in a thread          (records every request)
cases.py    the table: fault -> expected outcome
peers.py    one reader, run in a process of its own
__main__.py ``make faults``: the table over all readers, side by side
"""
