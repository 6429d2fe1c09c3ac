"""The embedded S3 server and its samples."""
