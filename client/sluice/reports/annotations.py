"""Annotations, as GitHub Actions reads them from what a step prints."""

from sluice.problems import ExitCode
from sluice.reports.outcome import Outcome

_LEVELS = {ExitCode.PASSED: "notice", ExitCode.INCONCLUSIVE: "warning"}


def annotation(outcome: Outcome) -> str:
    """One line."""
    level = _LEVELS.get(outcome.exit_code, "error")
    title = _escaped(f"{outcome.key}: {outcome.title}").replace(":", "%3A").replace(",", "%2C")
    return f"::{level} title={title}::{_escaped(outcome.sentence)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
