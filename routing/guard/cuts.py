"""What an edge has ejected, with the counts that made it do so."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from routing.table import Endpoint, RunningExperiment, Table, keeping_warm


@dataclass(frozen=True, slots=True)
class Cut:
    """A candidate's arm that was ejected, in which round of the guard, when (ISO 8601), and what was counted.

    The counts are of the latest requests in the guard's window: the candidate's and its control's. Edges of other
    releases may leave out all but whose arm it is.
    """

    experiment: str
    variant: str
    guard_round: int = 0
    time: str = ""
    requests: int = 0
    failures: int = 0
    control_requests: int = 0
    control_failures: int = 0

    def concerns(self, experiment: RunningExperiment) -> bool:
        """Whether the experiment still has the arm, and nobody gave it back since."""
        in_round = (self.variant, self.guard_round)
        return experiment.key == self.experiment and any(
            (arm.variant, arm.guard_round) == in_round for arm in experiment.arms
        )


def without(table: Table, cuts: Collection[Cut]) -> Table:
    """The table with these arms' users on their endpoint's own backend, unmeasured; it names what it lacks.

    Their backends are kept warm, as they may be reinstated.
    """
    experiments = [experiment for endpoint in table.endpoints for experiment in endpoint.experiments]
    kept = [cut for cut in cuts if any(cut.concerns(experiment) for experiment in experiments)]
    if not kept:
        return table
    names = tuple(sorted({f"{cut.experiment}/{cut.variant}" for cut in kept}))
    return replace(table, cut=names, endpoints=tuple(_endpoint(endpoint, kept) for endpoint in table.endpoints))


def _endpoint(endpoint: Endpoint, cuts: Collection[Cut]) -> Endpoint:
    experiments = tuple(_experiment(experiment, cuts) for experiment in endpoint.experiments)
    return keeping_warm(replace(endpoint, experiments=experiments), endpoint)


def _experiment(experiment: RunningExperiment, cuts: Collection[Cut]) -> RunningExperiment:
    gone = {cut.variant for cut in cuts if cut.concerns(experiment)}
    return replace(experiment, arms=tuple(arm for arm in experiment.arms if arm.variant not in gone))
