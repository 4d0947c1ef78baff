"""Writes an access log as Envoy does: `python -m bench.pipeline.writer LINK RATE SECONDS`.

Lines come at an even rate, a few milliseconds at a time; a new segment is gone over to as when Envoy is told to
reopen its log. Ends by printing how many lines it wrote.
"""

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.factories.log_lines import make_line

TURN_SECONDS = 0.02
USERS = 20_000
TIME, REQUEST, USER = "<time>", "<request>", "<user>"


def template() -> bytes:
    """A line with everything that a measured chat request tells, and places for what differs."""
    told = {"holds": "choices.*.message.content", "whole": "1", "stop": "stop"}
    told |= {"prompt_tokens": "11", "completion_tokens": "22", "total_tokens": "33"}
    who = {"backend": "stable", "prompt_price": "1", "completion_price": "2", "protocol": "openai"}
    return make_line(
        {"answer": _lines(told), "prompt_tokens": None, "completion_tokens": None},
        answered_by=_lines(who),
        body_bytes=460,
        method="POST",
        path="/v1/chat/completions",
        run="bench",
        sent_type="application/json",
        time=TIME,
        request_id=REQUEST,
        unit=USER,
    )


def _lines(named: dict[str, str]) -> str:
    return "\n".join(f"{name}\n{value}" for name, value in named.items())


def write(link: Path, rate: float, seconds: float) -> int:
    """Write at this rate for so long; how many lines that were."""
    pieces = template().decode().replace("%", "%%")
    line = pieces.replace(TIME, "%s").replace(REQUEST, "12976639-d1ed-41da-ba40-%012d").replace(USER, "user-%d") + "\n"
    order = sorted((pieces.index(place), place) for place in (TIME, REQUEST, USER))
    began, written = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        due = int(min(passed, seconds) * rate)
        now = datetime.now(UTC).isoformat()
        values = ({TIME: now, REQUEST: number, USER: number % USERS} for number in range(written, due))
        with link.open("ab") as log:
            log.write("".join(line % tuple(value[place] for _, place in order) for value in values).encode())
        written = due
        time.sleep(TURN_SECONDS)
    return written


if __name__ == "__main__":
    print(write(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])))
