"""An order becomes a file, and that a value, items, or a look. Knows no widgets."""
