"""Statistics: pure functions from sums to verdicts. No Django, no I/O."""
