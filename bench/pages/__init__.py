"""How long pages take on the server."""
