"""One request becomes one judged answer: the client, the transport, retries, listing and storing.

Knows neither formats nor notebooks.
"""
