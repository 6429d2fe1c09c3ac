"""Events of a load become rows and lines."""
