"""Sluice's Python client: start experiments, wait for what was decided, and halt them."""

from sluice.calls import Client, Done
from sluice.experiment import Experiment
from sluice.gate import Decision, Gate
from sluice.problems import ExitCode, Problem, Refused, Unreachable, WrongUse

__all__ = [
    "Client",
    "Decision",
    "Done",
    "ExitCode",
    "Experiment",
    "Gate",
    "Problem",
    "Refused",
    "Unreachable",
    "WrongUse",
]
