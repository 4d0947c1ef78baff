"""`sluice wait`: until an experiment is decided, whatever becomes of the server meanwhile."""

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sluice.calls import Client
from sluice.commands.gate import show_gate
from sluice.commands.options import AsJson, Key, connect
from sluice.commands.output import Output
from sluice.durations import read_duration
from sluice.gate import Gate
from sluice.problems import Problem, Unreachable, WrongUse
from sluice.reports.annotations import annotation
from sluice.reports.junit import junit
from sluice.reports.markdown import markdown
from sluice.reports.outcome import Outcome, outcome_of, outcome_without
from sluice.results import MetricLine
from sluice.waiting import wait_until_decided


class Until(StrEnum):
    """What is waited for."""

    DECIDED = "decided"


def _seconds(text: str) -> float:
    try:
        return read_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def wait(
    key: Key,
    *,
    until: Annotated[Until, typer.Option("--until", help="What to wait for.")] = Until.DECIDED,
    timeout: Annotated[str, typer.Option("--timeout", help="How long at the most: 90s, 30m, 2h or 1h30m.")] = "2h",
    junit_file: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML there.")] = None,
    summary_file: Annotated[Path | None, typer.Option("--summary", help="Add a Markdown summary there.")] = None,
    as_json: AsJson = False,
) -> int:
    """Wait until an experiment is decided, and end with its exit code; 3 if that takes too long."""
    seconds, output = _seconds(timeout), Output(as_json=as_json)
    for file in (junit_file, summary_file):
        _require_writable(file)
    with connect() as client:
        try:
            gate = wait_until_decided(client, key, seconds, _teller(output))
        except Problem as problem:
            _report(output, outcome_without(key, problem), junit_file, summary_file)
            raise
        outcome = outcome_of(gate, _results(client, key, output))
    show_gate(output, gate)
    _report(output, outcome, junit_file, summary_file)
    return gate.exit_code


def _teller(output: Output) -> Callable[[Gate | Unreachable], None]:
    """Says what is waited for, each time that this changed."""
    said = ""

    def tell(found: Gate | Unreachable) -> None:
        nonlocal said
        text = f"{found.sentence} {found.waits_for}" if isinstance(found, Gate) else f"{found.detail} Trying again."
        if text != said:
            output.note(text)
        said = text

    return tell


def _results(client: Client, key: str, output: Output) -> tuple[MetricLine, ...]:
    """What was found; a report without it is better than none."""
    try:
        return client.results(key)
    except Problem as problem:
        output.note(f"The report has no results. {problem.detail}")
        return ()


def _require_writable(file: Path | None) -> None:
    """Found out before hours of waiting. Raises `WrongUse`."""
    try:
        if file is not None:
            file.open("a", encoding="utf-8").close()
    except OSError as error:
        raise _unwritable(file, error) from error


def _report(output: Output, outcome: Outcome, junit_file: Path | None, summary_file: Path | None) -> None:
    """Write what was asked for; where that fails, the exit code is that of the experiment all the same."""
    try:
        if junit_file is not None:
            junit_file.write_text(junit(outcome), encoding="utf-8")
        if summary_file is not None:
            with summary_file.open("a", encoding="utf-8") as summary:
                summary.write(markdown(outcome))
    except OSError as error:
        output.note(str(_unwritable(junit_file, error)))
    if os.environ.get("GITHUB_ACTIONS"):
        typer.echo(annotation(outcome), err=output.as_json)


def _unwritable(file: Path | None, error: OSError) -> WrongUse:
    place = error.filename or file
    return WrongUse("file-unwritable", f"{place} cannot be written: {error.strerror}.", "Name another file.")
