"""Synchronous calls reach coroutines on the right loop. Knows nothing else of the package."""
