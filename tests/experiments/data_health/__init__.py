"""Tests of the health of the data."""
