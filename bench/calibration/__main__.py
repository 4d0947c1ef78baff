"""The whole table: `python -m bench.calibration [runs]`, 2000 runs a row unless said otherwise.

Prints it, writes docs/calibration.md, and ends with 1 if a row does not hold.
"""

import sys
import time
from pathlib import Path

from bench.calibration.always import always
from bench.calibration.brakes import doubled_errors_of_requests
from bench.calibration.candidates import candidates_at_the_margin, goals_without_an_effect, several_goals
from bench.calibration.clusters import quantile_coverage, resembling_requests
from bench.calibration.halting import doubled_errors, harmed_users, quiet_ramp, slow_candidate
from bench.calibration.harms import harms
from bench.calibration.heavy import one_heavy_user, signed_numerators, units_of_amounts
from bench.calibration.late_outcomes import late_alike, late_in_one_arm
from bench.calibration.later import cut_short, late_change, long_quiet, returning_users
from bench.calibration.looking import false_promotions, price
from bench.calibration.rows import Measure, Row
from bench.calibration.speed import speed
from bench.calibration.splits import splits
from bench.calibration.watching import correlated_guardrails, coverage, peeking, small_canary

PAGE = Path(__file__).parents[2] / "docs" / "calibration.md"

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
    harms,
    late_change,
    long_quiet,
    returning_users,
    cut_short,
    splits,
    candidates_at_the_margin,
    goals_without_an_effect,
    several_goals,
    one_heavy_user,
    signed_numerators,
    units_of_amounts,
    doubled_errors_of_requests,
    late_in_one_arm,
    late_alike,
)
"""What is drawn with a seed or computed, so that it says the same on every machine."""


def main() -> None:
    """Measure all rows."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    rows: list[Row] = []
    for measure in (*DRAWN, speed):
        started = time.perf_counter()
        found = measure(runs)
        rows += found
        for row in found:
            print(line(row), flush=True)
        print(f"  {measure.__name__}: {time.perf_counter() - started:.0f} s", flush=True)
    PAGE.write_text(page(rows, runs))
    missed = [row for row in rows if not row.holds]
    print(f"{len(rows) - len(missed)} of {len(rows)} rows hold; written to {PAGE.name}.")
    sys.exit(bool(missed))


def line(row: Row) -> str:
    """One row of a Markdown table."""
    drawn = f"{row.runs:,}" if row.runs else "exact"
    error = f"{row.error:.2g}" if row.error else ""
    return f"| {row.property} | {row.target} | {row.ours} | {drawn} | {error} | {'yes' if row.holds else '**no**'} |"


def page(rows: list[Row], runs: int) -> str:
    """The page that is committed."""
    return "\n".join(
        [
            "# Calibration",
            "",
            f"What the statistics promise, measured: `make calibrate`, seeded, {runs:,} runs where a row says no",
            "other. A chance holds when it is within two Monte-Carlo standard errors of its target; *exact* rows",
            "draw nothing. Times are those of the machine that ran it (2 cores). The data are like production's:",
            "users with 1 to 500 requests who come back, heavy-tailed latencies, errors of 0.1 %, load that swings",
            "and remembers, a baseline that",
            "drifts, and a look at every tick. A slice with fewer runs is in `make test`.",
            "",
            "| property | target | ours | runs | Monte-Carlo error | holds |",
            "|---|---|---|---|---|---|",
            *(line(row) for row in rows),
            "",
        ]
    )


if __name__ == "__main__":
    main()
