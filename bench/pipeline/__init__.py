"""What a request costs from the access log to the lake, and how long it takes."""
