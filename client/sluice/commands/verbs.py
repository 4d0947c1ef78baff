"""`sluice start`, `sluice halt` and `sluice promote`."""

from typing import Annotated

import typer

from sluice.calls import Done
from sluice.commands.options import AsJson, Key, connect
from sluice.commands.output import Output
from sluice.problems import ExitCode

Reason = Annotated[str, typer.Option("--reason", help="Why; it stays in the decision log.", show_default=False)]


def start(
    key: Key, *, reason: Annotated[str, typer.Option("--reason", help="Why.")] = "", as_json: AsJson = False
) -> int:
    """Freeze the plan and start."""
    with connect() as client:
        return _told(client.start(key, reason=reason), as_json=as_json)


def halt(key: Key, *, reason: Reason, as_json: AsJson = False) -> int:
    """Give all users what they have by default."""
    with connect() as client:
        return _told(client.halt(key, reason=reason), as_json=as_json)


def promote(
    key: Key,
    *,
    reason: Reason,
    variant: Annotated[str, typer.Option("--variant", help="The candidate; needed where there are several.")] = "",
    everybody: Annotated[bool, typer.Option("--everybody", help="Also for those outside of the audience.")] = False,
    as_json: AsJson = False,
) -> int:
    """Make a candidate the default."""
    with connect() as client:
        done = client.promote(key, reason=reason, variant=variant, everybody=everybody)
        return _told(done, as_json=as_json)


def _told(done: Done, *, as_json: bool) -> int:
    output = Output(as_json=as_json)
    if as_json:
        output.document({"sentence": done.sentence, "experiment": done.experiment, "edges": done.edges})
    output.say(done.sentence)
    return ExitCode.PASSED
