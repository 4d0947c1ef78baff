"""`sluice status`: one experiment or all, once or while it changes."""

from collections.abc import Callable
from time import sleep
from typing import Annotated, TypeVar

import typer

from sluice.calls import Client
from sluice.commands.gate import show_gate
from sluice.commands.options import AsJson, connect
from sluice.commands.output import Output
from sluice.experiment import Experiment
from sluice.gate import Gate
from sluice.problems import ExitCode, Unreachable

LOOK_AGAIN_SECONDS = 2.0
Found = TypeVar("Found")

OptionalKey = Annotated[str | None, typer.Argument(help="The key of one experiment; all without it.", metavar="[KEY]")]


def status(
    key: OptionalKey = None,
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on, and print what changed; of one until it ends.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Say how experiments stand."""
    output = Output(as_json=as_json)
    with connect() as client:
        if key is not None:
            _show_one(client, key, output, watch=watch)
        else:
            _show_all(client, output, watch=watch)
    return ExitCode.PASSED


def _show_one(client: Client, key: str, output: Output, *, watch: bool) -> None:
    shown = client.gate(key)
    show_gate(output, shown)
    while watch and not shown.decided:
        sleep(shown.retry_after or LOOK_AGAIN_SECONDS)
        found = _again(output, lambda: client.gate(key))
        if found is not None and _said(found) != _said(shown):
            show_gate(output, found)
        shown = found or shown


def _said(gate: Gate) -> tuple[str, str]:
    return gate.sentence, gate.waits_for


def _show_all(client: Client, output: Output, *, watch: bool) -> None:
    shown = list(client.experiments())
    _show_list(output, shown)
    while watch:
        sleep(LOOK_AGAIN_SECONDS)
        found = _again(output, lambda: list(client.experiments()))
        if found is not None and found != shown:
            _show_list(output, found)
        shown = found or shown


def _show_list(output: Output, found: list[Experiment]) -> None:
    if output.as_json:
        output.document(found)
    elif found:
        output.table(("key", "state", "stage", "verdict"), map(_row, found))
    else:
        output.say("There are no experiments.")


def _row(experiment: Experiment) -> tuple[str, ...]:
    stage = experiment.stage
    return experiment.key, experiment.state, f"{stage.number} of {stage.of}" if stage else "", experiment.sentence


def _again(output: Output, read: Callable[[], Found]) -> Found | None:
    """What is read, or nothing while Sluice does not answer."""
    try:
        return read()
    except Unreachable as error:
        output.note(f"{error.detail} Trying again.")
        return None
