"""The traffic that each variant was set to get and the traffic that it got."""

from dataclasses import dataclass, replace
from itertools import accumulate

from controlplane.web.shares import percent
from experiments.models import Variant
from experiments.models.experiment import ENDED_STATES, State
from experiments.presenters.page_reads import Dossier
from experiments.stats.core.types import Finding, SampleRatio
from routing.table import BasisPoints


@dataclass(frozen=True, slots=True)
class VariantLine:
    """One variant's traffic. `set_share` and `actual_share` are of measured users, `of_everybody` of all users.

    `start` and `width` are its place in the bar of all variants, in per cent.
    """

    variant: Variant
    of_everybody: str
    set_share: str
    actual_share: str
    width: float
    users: int
    requests: int
    start: float = 0


@dataclass(frozen=True, slots=True)
class RatioCard:
    """Whether users arrived in the shares that were set, in words."""

    tone: str
    headline: str
    explanation: str


def variant_lines(dossier: Dossier) -> list[VariantLine]:
    """All variants, the control first."""
    counts = dossier.counts
    total = sum(counts.units.values())
    lines = [
        _line(dossier, variant, counts.units.get(variant.key, 0), counts.requests.get(variant.key, 0), total)
        for variant in dossier.variants
    ]
    starts = accumulate((line.width for line in lines[:-1]), initial=0.0)
    return [replace(line, start=start) for line, start in zip(lines, starts, strict=True)]


def ratio_card(dossier: Dossier) -> RatioCard:
    """The check of the sample ratio."""
    if dossier.results is None:
        return RatioCard("", "Not checked yet", "The split of users is checked with each analysis.")
    ratio = dossier.results.sample_ratio
    if ratio.mismatch:
        return RatioCard("bad", "The split is not the one that was set", f"{_chance(ratio)} Do not trust any result.")
    return RatioCard("good", "The split is as it was set", f"{_chance(ratio)} Nothing points to lost users.")


def findings(dossier: Dossier) -> tuple[Finding, ...]:
    """What else is wrong with the records or the randomisation; the split itself has a card of its own."""
    found = dossier.results.findings if dossier.results else ()
    return tuple(finding for finding in found if finding.code != "sample-ratio")


def users_in_two_arms(dossier: Dossier) -> int:
    """Users who were seen in more than one variant, and are left out."""
    return dossier.counts.units_in_two_arms


def _line(dossier: Dossier, variant: Variant, users: int, requests: int, total: int) -> VariantLine:
    share = variant.weight / sum(other.weight for other in dossier.variants)
    return VariantLine(
        variant=variant,
        of_everybody=_of_everybody(dossier, share),
        set_share=percent(share),
        actual_share=percent(users / total) if total else "nobody yet",
        width=100 * (users / total if total else share),
        users=users,
        requests=requests,
    )


def _of_everybody(dossier: Dossier, share: float) -> str:
    """A variant's part of all users of the endpoint."""
    experiment = dossier.experiment
    if experiment.state in ENDED_STATES:
        return "none any more"
    if dossier.stop is not None:
        return "none while stopped"
    part = percent(share * BasisPoints(dossier.stage.coverage).share * BasisPoints(experiment.traffic).share)
    return f"{part} at stage 1" if experiment.state == State.DRAFT else f"{part} now"


def _chance(ratio: SampleRatio) -> str:
    if ratio.p_value < 0.001:
        return "A difference this large happens by chance less than once in 1,000 times."
    return f"A difference this large happens by chance in {percent(ratio.p_value)} of all cases."
