"""What happened at the edge and after it, on its way into the lake."""
