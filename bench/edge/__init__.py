"""What the edge costs: CPU a request, and time added to an answer."""
