"""How fast, and with how much memory, objects on S3 become objects in Python: `make bench`."""
