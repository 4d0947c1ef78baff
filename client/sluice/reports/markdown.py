"""A summary in Markdown: the sentence, and a table of results."""

import re

from sluice.problems import ExitCode
from sluice.reports.numbers import interval_words, number, per_cent
from sluice.reports.outcome import Outcome
from sluice.results import MetricLine

_SIGNS = {ExitCode.PASSED: "✅", ExitCode.FAILED: "❌"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
_HEAD = ("metric", "candidate", "role", "control", "candidate's", "effect", "interval", "verdict")


def markdown(outcome: Outcome) -> str:
    """The summary; it ends with an empty line, so that others may follow."""
    sign = _SIGNS.get(outcome.exit_code, "⚠️")
    parts = [f"## {sign} {_plain(outcome.key)}: {outcome.title}", _plain(outcome.sentence)]
    if outcome.next_step:
        parts.append(_plain(outcome.next_step))
    if outcome.lines:
        rows = [_HEAD, ("---",) * len(_HEAD), *map(_row, outcome.lines)]
        parts.append("\n".join(f"| {' | '.join(row)} |" for row in rows))
    return "\n\n".join(parts) + "\n\n"


def _row(line: MetricLine) -> tuple[str, ...]:
    names = map(_plain, (line.metric, line.variant, line.role))
    values = number(line.control), number(line.candidate), per_cent(line.relative), interval_words(line)
    return *names, *values, _plain(line.verdict)


def _plain(text: str) -> str:
    """A text as it is: a person's reason is no markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
