"""A file becomes a value, or items. Knows nothing of S3."""
