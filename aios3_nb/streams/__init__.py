"""One version of one object becomes bytes in order, verified; and the file over them.

Knows neither formats nor notebooks.
"""
