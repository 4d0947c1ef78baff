"""A small model server with a stated profile."""
