"""Places in Redis, and what belongs in each."""
