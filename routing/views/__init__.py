"""Pages of backends, endpoints, edges and routing tables."""
