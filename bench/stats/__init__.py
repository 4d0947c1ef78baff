"""The cost of analysing many metrics from sufficient statistics, beside two libraries that do the same."""
