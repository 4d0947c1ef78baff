"""Harm that only those meet who send most: what it does to what a look may show."""

from collections.abc import Sequence

import numpy as np

from experiments.stats.core.arrays import Flags, Floats
from experiments.stats.core.contrast import Contrast
from experiments.stats.core.types import Role
from experiments.stats.judging.cells import Cells
from experiments.stats.judging.noninferiority import accepted_harm


def with_failing_heavy_users(cells: Cells, contrast: Contrast) -> Contrast:
    """The contrast with the margin, whose error is at least what it is if only heavy users meet what is accepted.

    A candidate at its margin m may fail some users wholly, and of those only some that send h requests each. Few of
    them are met then, often none, though m of all requests fail: of N requests the number that fail is h times a
    Poisson number with the mean m N / h, so that their share has the variance m h / N beside what chance does without
    harm, which is the control's. Sums over units cannot tell that before it was seen, so that the larger variance
    holds: that of what was seen, or that one. h is what the tenth heaviest user of an arm sends, as fewer than ten are
    no kind of users of which there might be more. Of other ratios and of means nothing is known of h; then, and for
    shares of units, whose h is 1, the contrast is as it was.
    Assumes that a failing user fails wholly and independently of others, the worst that can be without knowing who.
    Reference: the variance under the hypothesis, as in Farrington and Manning, Test statistics and sample size formulae
    for comparative binomial trials (Stat. Med. 1990), for compound Poisson counts.
    """
    guarded = cells.has_role(Role.GUARDRAIL) & (cells.heavy > 0.0)
    if not guarded.any():
        return contrast
    candidate, control = cells.candidate, cells.control
    by_chance = control.estimates.variance * (1.0 / candidate.estimates.units + 1.0 / control.estimates.units)
    by_heavy_users = accepted_harm(cells) * cells.heavy / candidate.denominator
    least = np.where(guarded, by_chance + by_heavy_users, 0.0)
    error = np.sqrt(np.fmax(contrast.standard_error**2.0, least))
    return contrast.with_error(error)


def notes_on_heavy_users(cells: Cells, notes: Sequence[str], held: Flags, *, short: Floats) -> tuple[str, ...]:
    """The notes, with one for each cell that passes but for its heavy users; its z is `short` by that factor."""
    if not held.any():
        return tuple(notes)
    wanted = cells.candidate.denominator * short**2.0
    found = list(notes)
    for place in np.flatnonzero(held).tolist():
        found[place] = (
            f"What was seen is within the margin. But ten users or more send about {cells.heavy[place]:,.0f} requests "
            f"each, and too few like them were met to tell that none of them fails wholly: that takes about "
            f"{wanted[place]:,.0f} requests in this variant."
        )
    return tuple(found)
