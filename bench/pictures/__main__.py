"""Draw the pictures of docs/statistics.md: `python -m bench.pictures`."""

from pathlib import Path

import vl_convert

from bench.pictures import data
from bench.pictures.drawings import Spec, columns, lines, spans

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"


def main() -> None:
    """Write each picture as SVG."""
    FOLDER.mkdir(exist_ok=True)
    for name, spec in pictures().items():
        svg = vl_convert.vegalite_to_svg(spec)
        (FOLDER / f"{name}.svg").write_text(svg)
        print(f"{name}.svg {len(svg) / 1000:.0f} kB")


def pictures() -> dict[str, Spec]:
    """All specs by the name of their file."""
    rows, alarms = data.peeking()
    information = "share of the planned information"
    return {
        "peeking": lines(
            rows, "Looking all the time at nothing", information, "difference in standard errors", subtitle=alarms
        ),
        "looks": lines(
            data.looks(), "What each look asks for", information, "standard errors", points=True, scale={"zero": False}
        ),
        "verdicts": spans(data.verdicts(), "Four guardrails with a margin of 10 %", 0.1),
        "harm": columns(
            data.harms(),
            "Users a candidate has served until the halt",
            "errors of the candidate, times those of the control (1 %)",
            "users, mean of 1,000 simulated rollouts",
            subtitle="5,000 new users an hour, stages of 1, 5, 25 and 50 %",
        ),
        "sensitivity": lines(
            data.sensitivities(),
            "The smallest change that is seen, in 8 of 10 cases",
            "days",
            "relative change of a share of 10 %",
            axis={"format": ".0%"},
        ),
    }


if __name__ == "__main__":
    main()
