"""Attacks on the safe unpickler: a list of them by name, and a generator that writes as many as one likes.

``named``     attacks that are known, each with its name
``programs``  writes hostile pickles by a seed, of ``nodes`` (trees of pickles), ``corpus`` (what ordinary pickles are
              made of) and ``gadgets`` (what answers when it is asked)
``frames``    writes pickles whose frames are not what they seem
``harm``      sees what a load did that it must not do
``runner``    loads thousands in processes that may die, and makes what did harm small
``peers``     loads the named ones by other libraries
``prove``     switches a check off, for the proof that this is seen

``python -m tests.formats.pickle.attacks`` runs the generator, for as long as one likes; see `__main__`.
"""
