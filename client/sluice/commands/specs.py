"""`sluice plan`, `sluice apply` and `sluice export`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from sluice.calls import Client
from sluice.commands.options import AsJson, connect
from sluice.commands.output import Output
from sluice.problems import ExitCode, Refused, WrongUse
from sluice.specs import Change, Changes

STANDARD = "-"
LONGEST_VALUE = 60
WORDS = {"create": "new", "change": "changed", "none": "as they are"}
SIGNS = {"create": ("+", "green"), "change": ("~", "yellow")}

File = Annotated[str, typer.Argument(help="YAML or JSON; - for standard input.", metavar="FILE", show_default=False)]
Found = TypeVar("Found")
Detailed = Annotated[bool, typer.Option("--detailed-exitcode", help="End with 10 where something changes.")]


def plan(file: File, *, detailed_exitcode: Detailed = False, as_json: AsJson = False) -> int:
    """Say what applying a file would change, and whom that touches; nothing is changed."""
    found = _sent(file, Client.plan)
    output = Output(as_json=as_json)
    _tell(output, found, "Nothing would change.")
    if found.changed and not found.may_apply:
        output.note("This token may not apply it.")
    return _code(found, detailed=detailed_exitcode)


def apply(file: File, *, detailed_exitcode: Detailed = False, as_json: AsJson = False) -> int:
    """Add what a file describes and change what differs, all of it or nothing. Twice changes nothing."""
    found = _sent(file, Client.apply)
    _tell(Output(as_json=as_json), found, "Nothing changed.")
    return _code(found, detailed=detailed_exitcode)


def export(
    file: Annotated[str, typer.Argument(help="Where to write; - for standard output.", metavar="[FILE]")] = STANDARD,
    *,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Kinds like metrics, or things like experiments/canary. Any number of times."),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Write down what there is. A file that is there is brought up to date, and its comments stay."""
    path = None if file == STANDARD else Path(file)
    with connect() as client:
        if path is not None and path.exists() and not only:
            text = _placed(file, lambda: client.refresh(_read(file)))
        else:
            text = client.export(*(only or ()))
    output = Output(as_json=as_json)
    if path is not None:
        _write(path, text)
        output.say(f"{file} holds what there is.")
    elif not as_json:
        sys.stdout.write(text)
    if as_json:
        output.document({"file": file, "text": text})
    return ExitCode.PASSED


def _sent(file: str, call: Callable[[Client, bytes], Changes]) -> Changes:
    content = _read(file)
    with connect() as client:
        return _placed(file, lambda: call(client, content))


def _placed(file: str, call: Callable[[], Found]) -> Found:
    """What a call finds; its refusal names the file."""
    try:
        return call()
    except Refused as problem:
        problem.detail = f"{file}: {problem.detail}"
        raise


def _read(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == STANDARD else Path(file).read_bytes()
    except OSError as error:
        raise WrongUse("file-unreadable", f"{file} cannot be read: {error.strerror}.", "Name another.") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WrongUse("file-unwritable", f"{path} cannot be written: {error.strerror}.", "Name another.") from error


def _code(found: Changes, *, detailed: bool) -> int:
    return ExitCode.CHANGED if detailed and found.changed else ExitCode.PASSED


def _tell(output: Output, found: Changes, nothing: str) -> None:
    if output.as_json:
        output.document(found)
        return
    changes = [change for change in found.changes if change.action != "none"]
    for change in changes:
        _tell_change(output, change)
    counts = [(sum(each.action == action for each in found.changes), words) for action, words in WORDS.items()]
    output.say(", ".join(f"{count} {words}" for count, words in counts if count) + "." if changes else nothing)


def _tell_change(output: Output, change: Change) -> None:
    sign, style = SIGNS[change.action]
    output.say(f"{sign} {change.kind} {change.key}", style)
    for each in change.differences:
        old = "" if change.action == "create" else f"{_value(each.before)} -> "
        output.say(f"    {each.field}: {old}{_value(each.after)}")
    output.say(_touched(change))


def _touched(change: Change) -> str:
    """Whom it touches; empty for nobody."""
    traffic = "" if change.requests is None else f" ({change.requests:,} requests in the last hour)"
    endpoints = f"the users of {', '.join(change.endpoints)}{traffic}" if change.endpoints else ""
    experiments = ", ".join(f"{key} ({state})" for key, state in change.experiments)
    named = f"{'experiments' if len(change.experiments) > 1 else 'experiment'} {experiments}" if experiments else ""
    told = " and ".join(filter(None, (endpoints, named)))
    return f"    touches {told}" if told else ""


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
