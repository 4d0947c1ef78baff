"""Tests of an experiment's course over time."""
