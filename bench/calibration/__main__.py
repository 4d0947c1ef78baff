"""The tables: `python -m bench.calibration [--runs 2000] [topic ...]`, all topics unless some are named.

Prints them, writes each into docs/calibration.md as soon as it was measured, with the date, and ends with 1 if a row
does not hold. Tables of other topics stay as they are.
"""

import argparse
import re
import sys
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from bench.calibration.adjusted import adjusted_means
from bench.calibration.always import always
from bench.calibration.brakes import doubled_errors_of_requests
from bench.calibration.candidates import candidates_at_the_margin, goals_without_an_effect, several_goals
from bench.calibration.clusters import quantile_coverage, resembling_requests
from bench.calibration.falling import falling
from bench.calibration.halting import doubled_errors, harmed_users, quiet_ramp, slow_candidate
from bench.calibration.harms import harms
from bench.calibration.heavy import one_heavy_user, signed_numerators, units_of_amounts
from bench.calibration.heavy_failures import failing_heavy_users
from bench.calibration.late_outcomes import late_alike, late_in_one_arm
from bench.calibration.later import cut_short, late_change, long_quiet, returning_users
from bench.calibration.looking import false_promotions, price
from bench.calibration.rare_values import rare_values
from bench.calibration.rows import Measure, Row
from bench.calibration.slow_answers import slow_answers
from bench.calibration.speed import speed
from bench.calibration.splits import splits
from bench.calibration.stage_power import stage_power
from bench.calibration.tails import rare_slow_answers
from bench.calibration.unlike_arms import unlike_arms
from bench.calibration.watching import correlated_guardrails, coverage, peeking, small_canary

PAGE = Path(__file__).parents[2] / "docs" / "calibration.md"

INTRODUCTION = """# Calibration

What the statistics promise, measured: `make calibrate`, seeded. Each topic is a function of `bench/calibration`, and
says when it was measured; `python -m bench.calibration <topic>` measures it again. A chance holds when it is within two
Monte-Carlo standard errors of its target; *exact* rows draw nothing. Times are those of the machine that ran it (2
cores, which other programs may have shared), and CPU times but for the lake. The data are like production's: users with
1 to 500 requests who come back, heavy-tailed latencies, errors of 0.1 %, load that swings and remembers, a baseline
that drifts, and a look at every tick. A slice with fewer runs is in `make test`.
"""

DRAWN: tuple[Measure, ...] = (
    peeking,
    small_canary,
    quiet_ramp,
    correlated_guardrails,
    coverage,
    quantile_coverage,
    resembling_requests,
    false_promotions,
    price,
    doubled_errors,
    slow_candidate,
    harmed_users,
    always,
    falling,
    rare_values,
    rare_slow_answers,
    harms,
    late_change,
    long_quiet,
    returning_users,
    cut_short,
    stage_power,
    splits,
    candidates_at_the_margin,
    unlike_arms,
    goals_without_an_effect,
    several_goals,
    one_heavy_user,
    failing_heavy_users,
    signed_numerators,
    units_of_amounts,
    doubled_errors_of_requests,
    slow_answers,
    late_in_one_arm,
    late_alike,
    adjusted_means,
)
"""What is drawn with a seed or computed, so that it says the same on every machine."""


TOPICS: Mapping[str, Measure] = {measure.__name__: measure for measure in (*DRAWN, speed)}


def main() -> None:
    """Measure the topics that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("topics", nargs="*", choices=[*TOPICS, []], metavar="topic", help=", ".join(TOPICS))
    parser.add_argument("--runs", type=int, default=2000)
    asked = parser.parse_args()
    missed = 0
    for name in asked.topics or TOPICS:
        started = time.perf_counter()
        rows = TOPICS[name](asked.runs)
        found = table(name, rows, datetime.now(UTC).date())
        print(f"{found}  {name}: {time.perf_counter() - started:.0f} s", flush=True)
        PAGE.write_text(page(tables_of(PAGE.read_text()) | {name: found}))
        missed += sum(not row.holds for row in rows)
    print(f"{missed} rows do not hold; written to {PAGE.name}.")
    sys.exit(bool(missed))


def line(row: Row) -> str:
    """One row of a Markdown table."""
    drawn = f"{row.runs:,}" if row.runs else "exact"
    error = f"{row.error:.2g}" if row.error else ""
    return f"| {row.property} | {row.target} | {row.ours} | {drawn} | {error} | {'yes' if row.holds else '**no**'} |"


def table(name: str, rows: list[Row], day: date) -> str:
    """One topic of the page that is committed."""
    head = [f"## {name}", "", f"Measured on {day}.", ""]
    columns = ["| property | target | ours | runs | Monte-Carlo error | holds |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *columns, *map(line, rows), ""])


def tables_of(page_text: str) -> dict[str, str]:
    """The table of each topic on a page."""
    parts = re.split(r"^(?=## )", page_text, flags=re.MULTILINE)[1:]
    return {part.splitlines()[0].removeprefix("## "): f"{part.rstrip()}\n" for part in parts}


def page(tables: Mapping[str, str]) -> str:
    """The page that is committed: what its tables say, and the tables of all topics in their order."""
    return "\n".join([INTRODUCTION, *(tables[name] for name in TOPICS if name in tables)])


if __name__ == "__main__":
    main()
