"""JSON and JSON Lines: a file becomes a value, or items; a value becomes bytes."""
