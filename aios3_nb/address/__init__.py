"""What the user wrote becomes bucket, key and version; and back, quoted. Knows neither S3 nor notebooks."""
