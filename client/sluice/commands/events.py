"""`sluice events import`."""

from pathlib import Path
from typing import Annotated

import typer

from sluice.commands.options import AsJson, connect
from sluice.commands.output import Output
from sluice.imports import Import
from sluice.problems import ExitCode, WrongUse

MOST_SHOWN = 20


def import_file(
    file: Annotated[
        Path, typer.Argument(help="CSV, JSON lines or Parquet, as docs/outcomes.md tells.", metavar="FILE")
    ],
    *,
    as_json: AsJson = False,
) -> int:
    """Send a file of outcomes and wait until its rows are in; ends with 1 where some were refused."""
    output = Output(as_json=as_json)
    with connect() as client:
        try:
            found = client.import_events(file, lambda found: output.note(_progress(found)))
        except OSError as error:
            raise WrongUse("file-unreadable", f"{file} cannot be read: {error.strerror}.", "Name another.") from error
    if as_json:
        output.document(found)
    else:
        _tell(output, found)
    return ExitCode.FAILED if found["state"] == "failed" or found["refused"] else ExitCode.PASSED


def _progress(found: Import) -> str:
    if found["state"] == "receiving":
        return f"{found['received']:,} of {found['size']:,} bytes sent."
    return f"{found['reached']:,} of {found['rows'] or 'some'} rows taken ({found['state']})."


def _tell(output: Output, found: Import) -> None:
    if found["failure"]:
        output.say(found["failure"], "red")
    counts = ", ".join(f"{found[name]:,} {name}" for name in ("accepted", "duplicates", "refused"))
    output.say(f"{found['name']}: {counts}.")
    for problem in found["problems"][:MOST_SHOWN]:
        output.say(f"line {problem['line']}: {problem['field']}: {problem['message']}")
