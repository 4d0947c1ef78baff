"""Whether Envoy and Python split a million users alike, to the bucket."""
