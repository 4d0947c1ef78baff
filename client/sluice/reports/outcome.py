"""What there is to report of one experiment."""

from dataclasses import dataclass

from sluice.gate import Gate
from sluice.problems import ExitCode, Problem
from sluice.results import MetricLine

TITLES = {
    ExitCode.PASSED: "promoted",
    ExitCode.FAILED: "halted",
    ExitCode.INCONCLUSIVE: "inconclusive",
    ExitCode.NOT_MEASURED: "not measured",
    ExitCode.WRONG_USE: "wrong use",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ends and why, in a sentence, with what the newest analysis found."""

    key: str
    exit_code: ExitCode
    sentence: str
    next_step: str = ""
    lines: tuple[MetricLine, ...] = ()

    @property
    def title(self) -> str:
        """How it ended, in a word or two."""
        return TITLES[self.exit_code]


def outcome_of(gate: Gate, lines: tuple[MetricLine, ...]) -> Outcome:
    """The outcome of an experiment."""
    return Outcome(gate.key, gate.exit_code, gate.sentence, gate.waits_for, lines)


def outcome_without(key: str, problem: Problem) -> Outcome:
    """The outcome where there is none."""
    return Outcome(key, problem.exit_code, problem.detail, problem.next_step)
