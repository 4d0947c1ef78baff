"""Draw the pictures of docs/statistics.md: `python -m bench.pictures`."""

from pathlib import Path

import vl_convert

from bench.pictures import data
from bench.pictures.drawings import PER_CENT, Spec, columns, lines, spans, watched

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
RULE = "wholly left of the margin passes, wholly right of it fails, across it cannot tell"


def main() -> None:
    """Write each picture as SVG."""
    FOLDER.mkdir(exist_ok=True)
    for name, spec in pictures().items():
        svg = vl_convert.vegalite_to_svg(spec)
        (FOLDER / f"{name}.svg").write_text(svg)
        print(f"{name}.svg {len(svg) / 1000:.0f} kB")


def pictures() -> dict[str, Spec]:
    """All specs by the name of their file."""
    run, alarms, share = data.peeking()
    criticals, cost = data.looks()
    served, halted = data.harms()
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
            "users, mean of 1,000 simulated rollouts",
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
