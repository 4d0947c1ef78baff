"""`sluice gate`."""

from typing import Annotated

import typer

from sluice.calls import LONGEST_WAIT_SECONDS
from sluice.commands.options import AsJson, Key, connect
from sluice.commands.output import Output, moment
from sluice.gate import Gate

STYLES = {"promoted": "green", "halted": "red", "inconclusive": "yellow"}


def gate(
    key: Key,
    *,
    wait: Annotated[
        int, typer.Option("--wait", min=0, max=LONGEST_WAIT_SECONDS, help="Seconds to wait for a decision.")
    ] = 0,
    as_json: AsJson = False,
) -> int:
    """Say whether an experiment is decided, and end with its exit code; 3 while it is undecided."""
    with connect() as client:
        found = client.gate(key, wait=wait)
    show_gate(Output(as_json=as_json), found)
    return found.exit_code


def show_gate(output: Output, found: Gate) -> None:
    """All that a gate says."""
    if output.as_json:
        output.document(found)
        return
    output.say(f"{found.key}: {found.outcome}", STYLES.get(found.outcome, "bold"))
    output.say(found.sentence)
    output.say(found.waits_for)
    if found.due_at:
        output.say(f"Due at {moment(found.due_at)}.")
