"""From what was measured to what to do. Pure: no Django, no I/O, no clock of its own."""

from experiments.decide.decide import decide, look_is_due
from experiments.decide.rules.harmed import halted
from experiments.decide.types import (
    Decision,
    DecisionKind,
    ExperimentState,
    Label,
    Plan,
    StagePlan,
    time_is_over,
)

__all__ = [
    "Decision",
    "DecisionKind",
    "ExperimentState",
    "Label",
    "Plan",
    "StagePlan",
    "decide",
    "halted",
    "look_is_due",
    "time_is_over",
]
