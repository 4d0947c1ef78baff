"""Users whom a failure met last: by hand, against the chance that nothing is wrong, and what it leaves alone."""

import numpy as np
import pytest

from experiments.stats.core.errors import InvalidEvidence
from experiments.stats.core.types import Severity
from experiments.stats.health import HealthEvidence, LastAnswers, check_health
from experiments.stats.health.last_answers import last_answer_findings

FINE = LastAnswers(1000, 5, 20_000, 100)


def found(new: LastAnswers, control: LastAnswers = FINE) -> list[str]:
    return [finding.subject for finding in last_answer_findings({"control": control, "new": new}, "control")]


def test_users_who_leave_at_their_first_failure_are_found() -> None:
    answers = {"control": FINE, "new": LastAnswers(1000, 205, 16_200, 280)}
    [finding] = check_health(HealthEvidence("control", last_answers=answers))
    assert (finding.code, finding.severity) == ("failed-at-last", Severity.BLOCKS_PROMOTION)
    assert "20.5% of the users of new failed, and of 0.5% of those of control" in finding.detail


@pytest.mark.parametrize(
    "new",
    [
        # More failures, at any time: the share of users is that of requests.
        LastAnswers(1000, 50, 20_000, 1000),
        # One request a user: users and requests are the same.
        LastAnswers(1000, 300, 1000, 300),
        # Failures of a few heavy users.
        LastAnswers(1000, 5, 40_000, 8000),
        # Two points beyond, and no more.
        LastAnswers(1000, 25, 20_000, 100),
        # A better one.
        LastAnswers(1000, 0, 20_000, 0),
        # Too few to tell.
        LastAnswers(40, 12, 400, 12),
        LastAnswers(),
    ],
)
def test_what_guardrails_tell_is_none(new: LastAnswers) -> None:
    assert found(new) == []


def test_where_users_leave_in_both_arms_alike_it_is_none() -> None:
    leaving = LastAnswers(1000, 200, 16_000, 200)
    assert found(leaving, leaving) == []


def test_only_arms_with_users_are_compared() -> None:
    assert found(LastAnswers(1000, 900, 1000, 900), LastAnswers()) == []
    with pytest.raises(InvalidEvidence):
        list(last_answer_findings({"new": FINE}, "control"))


def test_equal_arms_are_hardly_ever_found_however_often_one_looks() -> None:
    """1000 runs of 60 looks at users who fail last as often in both: at most alpha, 1 in 1000, is promised."""
    chance = np.random.default_rng(20_261)
    alarms = 0
    for _ in range(1000):
        failed = chance.binomial(50, 0.1, size=(60, 2)).cumsum(axis=0).tolist()
        users = [50 * (look + 1) for look in range(60)]
        pairs = zip(users, failed, strict=True)
        alarms += any(found(*(LastAnswers(n, each, 20 * n, 0) for each in both)) for n, both in pairs)
    assert alarms <= 4
