"""A few ranges of an object become what is said about it, running nothing."""
