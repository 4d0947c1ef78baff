"""Error rates, coverage and speed of the statistics, measured by simulation against their targets."""
