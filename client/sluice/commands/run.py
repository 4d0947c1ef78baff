"""One run of the command: whatever happens ends in words, and in an exit code of the contract."""

import os
import sys
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from sluice.commands.application import application
from sluice.commands.output import Output
from sluice.problems import ExitCode, Problem, WrongUse


class Stopped(Problem):
    """A person, or the end of a pipe, ended it."""


class Crashed(Problem):
    """What nobody expected."""


def run(arguments: Sequence[str]) -> int:
    """Run it. Returns the exit code."""
    output = Output(as_json="--json" in arguments)
    try:
        return int(application(list(arguments), prog_name="sluice", standalone_mode=False) or 0)
    except Problem as problem:
        return output.problem(problem)
    except TyperException as error:
        return output.problem(_wrong_use(error))
    except (typer.Abort, KeyboardInterrupt):
        return output.problem(Stopped("interrupted", "Interrupted.", "Nothing that was begun is undone."))
    except BrokenPipeError:
        # Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.NOT_MEASURED
    except Exception as error:  # noqa: BLE001 - a pipeline gets a sentence and a code whatever it was
        return output.problem(Crashed("crashed", f"sluice failed: {type(error).__name__}: {error}", "Report it."))


def _wrong_use(error: TyperException) -> WrongUse:
    message = error.format_message().strip().rstrip(".") or "A command is missing"
    next_step = "`sluice --help` and `sluice <command> --help` say what there is."
    return WrongUse("wrong-use", f"{message}.", next_step)
