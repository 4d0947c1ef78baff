"""Before the start: how many units it takes, how long that is, and what could be seen sooner."""

from experiments.stats.planning.baseline import Baseline, design_effect
from experiments.stats.planning.sample_size import Question, minimum_effect, power, units_needed
from experiments.stats.planning.schedule import Arrivals, Schedule, StageSchedule, StageTarget, schedule, sensitivity
from experiments.stats.planning.whole_plan import MetricUnits, PlannedUnits, planned_units

__all__ = [
    "Arrivals",
    "Baseline",
    "MetricUnits",
    "PlannedUnits",
    "Question",
    "Schedule",
    "StageSchedule",
    "StageTarget",
    "design_effect",
    "minimum_effect",
    "planned_units",
    "power",
    "schedule",
    "sensitivity",
    "units_needed",
]
