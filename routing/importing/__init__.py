"""Outcomes from files: in parts from clients, row by row through the checks of all outcomes, and on after a kill."""
