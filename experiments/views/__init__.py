"""Pages of experiments and metrics."""
