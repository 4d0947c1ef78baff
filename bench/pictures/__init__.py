"""The pictures of docs/statistics.md, computed by the functions that they explain."""
