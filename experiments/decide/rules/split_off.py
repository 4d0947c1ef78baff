"""Hold while the observed split of users is not the one that was set."""

from experiments.decide.types import Decision, DecisionKind, Situation


def hold_on_mismatch(situation: Situation) -> Decision | None:
    """A broken split blocks advance and promotion; it never blocks a halt."""
    ratio = situation.results.sample_ratio
    if not ratio.mismatch:
        return None
    total = sum(ratio.observed.values()) or 1
    shares = ", ".join(
        f"{variant} has {ratio.observed.get(variant, 0) / total:.1%} of users instead of {expected:.1%}"
        for variant, expected in ratio.expected.items()
    )
    reason = f"The split of users is not the one that was set: {shares}. Find the cause before trusting any result."
    return Decision(DecisionKind.HOLD, "sample-ratio-mismatch", reason)
