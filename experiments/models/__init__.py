"""What is tested, what was measured and what was decided."""

from experiments.models.course import CoursePoint
from experiments.models.decision import Analysis, Decision, DecisionKind
from experiments.models.experiment import Experiment, Kind, Pause, State, Variant
from experiments.models.exploration import Exploration
from experiments.models.metric import Metric, MetricEdition
from experiments.models.plan import Plan, PlanMetric, Stage
from experiments.models.stored_size import StoredSize

__all__ = [
    "Analysis",
    "CoursePoint",
    "Decision",
    "DecisionKind",
    "Experiment",
    "Exploration",
    "Kind",
    "Metric",
    "MetricEdition",
    "Pause",
    "Plan",
    "PlanMetric",
    "Stage",
    "State",
    "StoredSize",
    "Variant",
]
