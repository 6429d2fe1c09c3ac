"""Pickles: a file becomes an object, or several, running nothing that is not on the safe list."""
