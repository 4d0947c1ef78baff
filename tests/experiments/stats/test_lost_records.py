"""Requests without a record: told alike, unevenly, or not at all."""

import pytest
from scipy import stats

from experiments.stats.health import HealthEvidence, LostRecords, Severity, check_health
from experiments.stats.health.lost import loss_p_value


def found(
    kept: tuple[int, int], lost: tuple[int, int], untold: tuple[str, ...] = ()
) -> list[tuple[str, Severity, str]]:
    arms = ("control", "new")
    records = LostRecords(dict(zip(arms, kept, strict=True)), dict(zip(arms, lost, strict=True)), untold)
    findings = check_health(HealthEvidence("control", records=records))
    assert all(finding.detail and finding.next_step for finding in findings)
    return [(finding.code, finding.severity, finding.subject) for finding in findings]


def test_what_is_whole_is_no_finding() -> None:
    assert found((0, 0), (0, 0)) == []
    assert found((5000, 4000), (0, 0)) == []


@pytest.mark.parametrize("lost", [(959, 959), (1, 0), (0, 3), (20, 35)])
def test_what_is_lost_alike_is_said_and_blocks_nothing(lost: tuple[int, int]) -> None:
    assert found((5000, 5000), lost) == [("records-lost", Severity.WARNING, "all variants")]


@pytest.mark.parametrize(
    ("kept", "lost"),
    [((5000, 5000), (10, 100)), ((5000, 5000), (100, 10)), ((5000, 0), (0, 8)), ((50, 40), (0, 14))],
)
def test_what_is_lost_of_one_arm_more_blocks_promotion(kept: tuple[int, int], lost: tuple[int, int]) -> None:
    assert found(kept, lost) == [("records-lost-unevenly", Severity.BLOCKS_PROMOTION, "new")]


def test_what_nobody_can_tell_blocks_promotion() -> None:
    assert found((500, 500), (0, 0), ("edge local",)) == [
        ("records-lost-untold", Severity.BLOCKS_PROMOTION, "edge local")
    ]


def test_equal_arms_are_rarely_called_unequal() -> None:
    """The exact test keeps its level at any count, however often it is asked: here over 400 draws each."""
    draws = stats.binom(300, 0.1).rvs((400, 2), random_state=7)
    records = [LostRecords({"c": 300 - c, "n": 300 - n}, {"c": int(c), "n": int(n)}) for c, n in draws.tolist()]
    low = sum(loss_p_value(record, "n", "c") <= 0.05 for record in records)
    assert low <= stats.binom(400, 0.05).ppf(0.9999)


def test_the_textbooks_lady_tasting_tea() -> None:
    """Fisher (1935): 3 of 4 cups right, two-sided 34/70."""
    records = LostRecords({"control": 3, "new": 1}, {"control": 1, "new": 3})
    assert loss_p_value(records, "new", "control") == pytest.approx(34 / 70)


def test_counts_are_counts() -> None:
    """Else it is the check that says so."""
    assert [code for code, _, _ in found((5, 5), (-1, 0))] == ["not-checked"]
