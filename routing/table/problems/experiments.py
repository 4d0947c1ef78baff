"""Checks of what runs on endpoints: experiments, their arms, shadows."""

from collections.abc import Iterator
from itertools import pairwise

from controlplane.problems.problem import Problem
from routing.table.audiences import MOST_AUDIENCES, audiences
from routing.table.basis_points import BUCKETS, WHOLE
from routing.table.problems.endpoints import condition_problems
from routing.table.problems.parameters import parameter_problems
from routing.table.problems.repeated_names import key_problems, repeated, unknown_backend
from routing.table.types import Arm, Endpoint, Guard, RunningExperiment, Shadow, Table


def experiment_problems(table: Table) -> Iterator[Problem]:
    """What is wrong with the experiments and shadows of a table."""
    backends = {backend.key for backend in table.backends}
    for endpoint in table.endpoints:
        for experiment in endpoint.experiments:
            yield from key_problems("experiment", experiment.key)
            yield from _ramp_problems(experiment)
            yield from _guard_problems(experiment)
            yield from condition_problems(experiment.audience, f"Experiment {experiment.key}")
            for arm in experiment.arms:
                yield from _arm_problems(experiment, arm, BUCKETS - endpoint.holdout)
                yield from unknown_backend(backends, arm.backend, f"Experiment {experiment.key}")
            yield from repeated("variant", (f"{experiment.key}/{arm.variant}" for arm in experiment.arms))
        for shadow in endpoint.shadows:
            yield from _shadow_problems(shadow)
            yield from unknown_backend(backends, shadow.backend, f"Shadow {shadow.experiment}")
        yield from _overlaps(endpoint)
        yield from _audience_problems(endpoint)


def _ramp_problems(experiment: RunningExperiment) -> Iterator[Problem]:
    if not 0 <= experiment.coverage <= WHOLE:
        yield Problem(
            "coverage-invalid",
            "Bad coverage",
            f"Experiment {experiment.key} has a coverage of {experiment.coverage}.",
            f"Set it between 0 and {WHOLE}, which is all of each arm's span.",
        )
    if experiment.stage < 0:
        yield Problem(
            "stage-invalid",
            "Bad stage",
            f"Experiment {experiment.key} is at stage {experiment.stage}.",
            "Count stages from 0.",
        )


def _guard_problems(experiment: RunningExperiment) -> Iterator[Problem]:
    guard = experiment.guard or Guard()
    sound = (
        guard.requests > 0 and 0 < guard.failing_share <= 1 and guard.window_seconds > 0 and guard.first_byte_ms >= 0
    )
    if not sound or any(arm.guard_round < 0 for arm in experiment.arms):
        yield Problem(
            "guard-invalid",
            "Bad guard",
            f"The guard of experiment {experiment.key} is {guard}.",
            "Give it at least one request, a share above 0 and up to 1, and a window of some seconds.",
        )


def _arm_problems(experiment: RunningExperiment, arm: Arm, free: int) -> Iterator[Problem]:
    yield from key_problems("variant", arm.variant)
    if not 0 <= arm.start < arm.end <= free:
        yield Problem(
            "span-invalid",
            "Bad span",
            f"Variant {arm.variant} of experiment {experiment.key} has the buckets {arm.start} to {arm.end}.",
            f"Give it at least one bucket between 0 and {free}; raise the traffic or the weight.",
        )
    yield from parameter_problems(arm.parameters, f"Variant {arm.variant} of experiment {experiment.key}")


def _shadow_problems(shadow: Shadow) -> Iterator[Problem]:
    yield from key_problems("experiment", shadow.experiment)
    yield from key_problems("variant", shadow.variant)
    if not 0 < shadow.share <= WHOLE:
        yield Problem(
            "shadow-share-invalid",
            "Bad share of a shadow",
            f"Shadow {shadow.experiment} gets {shadow.share} of {WHOLE} requests.",
            f"Set it between 1 and {WHOLE}.",
        )


def _overlaps(endpoint: Endpoint) -> Iterator[Problem]:
    arms = [(arm, experiment.key) for experiment in endpoint.experiments for arm in experiment.arms]
    in_order = sorted(arms, key=lambda pair: (pair[0].start, pair[0].end))
    for (earlier, owner), (later, other) in pairwise(in_order):
        if later.start < earlier.end:
            pair = f"{owner}/{earlier.variant} and {other}/{later.variant}"
            yield Problem(
                "spans-overlap",
                "Overlapping spans",
                f"On endpoint {endpoint.key}, {pair} share buckets.",
                "Place the experiments in spans that do not touch.",
            )


def _audience_problems(endpoint: Endpoint) -> Iterator[Problem]:
    count = len(audiences(endpoint))
    if count > MOST_AUDIENCES:
        yield Problem(
            "audiences-too-many",
            "Too many audiences",
            f"Endpoint {endpoint.key} runs experiments for {count} different audiences.",
            f"Run at most {MOST_AUDIENCES} different ones at a time, or use a second endpoint.",
        )
