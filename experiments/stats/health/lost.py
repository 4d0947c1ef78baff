"""Requests that were answered and have no record: harmless only while they are known to be lost alike in all arms."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from controlplane.problems.problem import Problem
from experiments.stats.core.types import Finding, Severity
from experiments.stats.health.findings import ALPHA, check_alpha, check_counts, known_control


@dataclass(frozen=True, slots=True)
class LostRecords:
    """Requests by variant: those with a record, and those known to have none; and where some cannot be told by arm."""

    kept: Mapping[str, int]
    lost: Mapping[str, int]
    untold: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """All that are known to be lost."""
        return sum(self.lost.values())

    def share(self, variant: str) -> float:
        """The part of a variant's requests that has no record; 0 without requests."""
        lost = self.lost.get(variant, 0)
        return lost / (lost + self.kept.get(variant, 0)) if lost else 0.0


def loss_p_value(records: LostRecords, variant: str, control: str) -> float:
    """Two-sided p-value of Fisher's exact test that a variant and the control lose the same share of their requests.

    With k of n requests lost beside c of m, the hypergeometric chance, all k + c being spread at random over n + m
    requests, of a split that is no likelier than the one seen. Assumes that requests are lost independently: where a
    loss takes whole users, the p-value is too small, and errs on the side of holding. Holds for one look.
    Reference: Fisher, The Design of Experiments (1935).

    >>> round(loss_p_value(LostRecords({"control": 3, "new": 0}, {"control": 0, "new": 3}), "new", "control"), 6)
    0.1
    """
    table = np.array([[records.lost.get(arm, 0), records.kept.get(arm, 0)] for arm in (variant, control)])
    return float(stats.fisher_exact(table).pvalue)


def lost_findings(records: LostRecords, control: str, *, alpha: float = ALPHA) -> Iterator[Finding]:
    """Find records that are lost of nobody knows which arm, or of one arm more than of the control, or alike.

    The first two block promotion. A p-value of at most alpha / variants (Bonferroni) says that the shares differ.

    Raises:
        InvalidArgument: `alpha-range`.
        InvalidEvidence: `counts-invalid`, `control-missing`.

    >>> records = LostRecords({"control": 900, "new": 900}, {"control": 2, "new": 60})
    >>> [(found.code, found.subject) for found in lost_findings(records, "control")]
    [('records-lost-unevenly', 'new')]
    """
    check_alpha(alpha)
    check_counts((*records.kept.values(), *records.lost.values()))
    known_control(control, records.kept)
    yield from map(_untold, records.untold)
    if not records.total:
        return
    candidates = [variant for variant in records.kept if variant != control]
    p_values = {variant: loss_p_value(records, variant, control) for variant in candidates}
    uneven = {variant: p for variant, p in p_values.items() if p <= alpha / len(candidates)}
    for variant, p_value in uneven.items():
        yield _uneven(records, variant, control, p_value)
    if not uneven:
        yield _even(records)


def _untold(place: str) -> Finding:
    return Finding(
        Problem.of(
            "records-lost-untold",
            f"Answers of {place} have no record, and nobody can tell how many, or of which variant.",
            "Free disk space there, and run the experiment again: the missing ones may have gone wrong.",
        ),
        Severity.BLOCKS_PROMOTION,
        place,
    )


def _uneven(records: LostRecords, variant: str, control: str, p_value: float) -> Finding:
    return Finding(
        Problem.of(
            "records-lost-unevenly",
            f"{records.share(variant):.2%} of the answers of {variant} have no record, and "
            f"{records.share(control):.2%} of those of {control}.",
            "Find out why they are lost, and run the experiment again: the missing ones may have gone wrong.",
        ),
        Severity.BLOCKS_PROMOTION,
        variant,
        p_value=p_value,
    )


def _even(records: LostRecords) -> Finding:
    shares = ", ".join(f"{records.share(variant):.2%} of {variant}" for variant in records.kept)
    return Finding(
        Problem.of(
            "records-lost",
            f"{records.total} answers have no record, alike in all variants: {shares}.",
            "Check that no edge's disk is full. Results stay right, and come later.",
        ),
        Severity.WARNING,
        "all variants",
    )
