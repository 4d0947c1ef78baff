"""How soon a published table routes requests."""
