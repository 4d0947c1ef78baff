"""Users who leave once they were failed: they send no more requests, so that of all requests their failures are few."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from controlplane.problems.problem import Problem
from experiments.stats.core.columns import SumsColumns
from experiments.stats.core.types import Finding, Severity, UnitSums
from experiments.stats.health.findings import ALPHA, check_alpha, check_counts, known_control
from experiments.stats.health.missing import gap_log_e

TOLERATED = 0.02
"""By how much more of its users than the control's a variant may have failed last, beyond what it fails of requests."""


@dataclass(frozen=True, slots=True)
class LastAnswers:
    """Of one arm: users, those whose latest request was not answered, all requests, and all that were not answered."""

    users: int = 0
    failed_last: int = 0
    requests: int = 0
    failed: int = 0

    @property
    def share(self) -> float:
        """Of users, those whom a failure met last."""
        return self.failed_last / self.users if self.users else 0.0

    @property
    def beyond(self) -> float:
        """By how much that is more than the share of requests that failed; about 0 where these are anybody's."""
        return self.share - self.failed / self.requests if self.requests else 0.0


def last_answer_findings(
    answers: Mapping[str, LastAnswers], control: str, *, alpha: float = ALPHA
) -> Iterator[Finding]:
    """Name each variant whose users were failed last more often than the control's, and than its requests tell.

    Failures that meet anybody at any time are the latest of a user as often as they are any other: their share of
    users is that of requests, which guardrails watch. What it has beyond that is of users who sent nothing more, or of
    failures that began late. A finding needs that to be 2 points more than the control's, and an e-value against equal
    shares of users of variants / alpha (Bonferroni), which holds at every look.

    Raises:
        InvalidArgument: `alpha-range`.
        InvalidEvidence: `counts-invalid`, `control-missing`.

    >>> answers = {"control": LastAnswers(1000, 5, 20_000, 100), "new": LastAnswers(1000, 200, 16_200, 280)}
    >>> [(found.code, found.subject) for found in last_answer_findings(answers, "control")]
    [('failed-at-last', 'new')]
    """
    check_alpha(alpha)
    check_counts(
        [count for arm in answers.values() for count in (arm.users, arm.failed_last, arm.requests, arm.failed)]
    )
    known_control(control, answers)
    candidates = [variant for variant in answers if variant != control]
    for variant in candidates:
        arm, other = answers[variant], answers[control]
        log_e = float(gap_log_e(SumsColumns.of([_sums(arm)]), SumsColumns.of([_sums(other)]))[0][0])
        if arm.beyond - other.beyond <= TOLERATED or log_e < math.log(len(candidates) / alpha):
            continue
        yield Finding(_problem(variant, arm, control, other), Severity.BLOCKS_PROMOTION, variant, log_e_value=log_e)


def _sums(arm: LastAnswers) -> UnitSums:
    users, failed = float(arm.users), float(arm.failed_last)
    return UnitSums(arm.users, failed, users, failed, users, failed)


def _problem(variant: str, arm: LastAnswers, control: str, other: LastAnswers) -> Problem:
    return Problem.of(
        "failed-at-last",
        f"The latest request of {arm.share:.1%} of the users of {variant} failed, and of {other.share:.1%} of those of "
        f"{control}: so many more than of all requests that users leave for it, or that it began late.",
        "Find out which users and requests it fails, or halt it: guardrails that count requests see little of this.",
    )
