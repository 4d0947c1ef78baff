"""All commands under one name."""

from importlib.metadata import version
from typing import Annotated

import typer

from sluice.commands.doctor import doctor
from sluice.commands.events import import_file
from sluice.commands.gate import gate
from sluice.commands.login import login
from sluice.commands.sample_size import sample_size
from sluice.commands.specs import apply, export, plan
from sluice.commands.status import status
from sluice.commands.verbs import halt, promote, start
from sluice.commands.wait import wait

application = typer.Typer(
    help="Experiments and canary releases of AI models. Exit codes: 0 promoted or passed, 1 halted or failed, "
    "2 inconclusive, 3 could not measure or reach, 4 wrong use.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
events = typer.Typer(help="What happened after requests.", rich_markup_mode=None)
events.command("import")(import_file)

for command in (login, plan, apply, export, status, start, halt, promote, gate, wait, doctor):
    application.command(command.__name__)(command)
application.command("sample-size")(sample_size)
application.add_typer(events, name="events")


def _say_version(asked: bool) -> None:
    if asked:
        typer.echo(f"sluice {version('sluice-client')}")
        raise typer.Exit


@application.callback()
def _options(
    _: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Options before the command."""
