"""Draw the pictures of docs/statistics.md: `python -m bench.pictures [--runs 1000] [--into docs/pictures]`."""

import argparse
from pathlib import Path

import vl_convert

from bench.pictures import data
from bench.pictures.drawings import PER_CENT, Spec, columns, lines, spans, watched

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
RULE = "wholly left of the margin passes, wholly right of it fails, across it cannot tell"


def main() -> None:
    """Write each picture as SVG."""
    parser = argparse.ArgumentParser(prog="python -m bench.pictures")
    parser.add_argument("--runs", type=int, default=1000, help="how many runs are drawn")
    parser.add_argument("--into", type=Path, default=FOLDER, help="the folder that they are written to")
    options = parser.parse_args()
    options.into.mkdir(exist_ok=True)
    for name, spec in pictures(options.runs).items():
        svg = vl_convert.vegalite_to_svg(spec)
        (options.into / f"{name}.svg").write_text(svg)
        print(f"{name}.svg {len(svg) / 1000:.0f} kB")


def pictures(runs: int) -> dict[str, Spec]:
    """All specs by the name of their file."""
    run, alarms, share = data.peeking(runs)
    criticals, cost = data.looks()
    served, halted = data.harms(runs)
    information = "share of the planned information"
    return {
        "peeking": watched(run, alarms, "Looking at every tick where there is no difference", share),
        "looks": lines(
            criticals,
            "What each of 20 looks asks for",
            information,
            "z, difference in standard errors",
            subtitle=cost,
            points=True,
            scale={"domain": [1.5, 7.5], "nice": False},
        ),
        "verdicts": spans(data.verdicts(), "A guardrail with a margin of 10 %, judged five times", data.MARGIN, RULE),
        "harm": columns(
            served,
            "Users a candidate has served until the halt",
            "errors of the candidate, times those of the control (1 %)",
            f"users, mean of {runs:,} simulated rollouts",
            subtitle=["5,000 new users an hour, stages of 1, 5, 25 and 50 %", halted],
        ),
        "sensitivity": lines(
            data.sensitivities(),
            "The smallest change of a goal that is seen in 8 of 10 cases",
            "days",
            "relative change of a share of 10 %",
            subtitle="half of the users each, 20 looks, alpha of 5 %",
            axis=PER_CENT,
        ),
    }


if __name__ == "__main__":
    main()
