"""Arguments and options that commands share."""

from typing import Annotated

import typer

from sluice.calls import Client
from sluice.configuration import find_credentials

Key = Annotated[str, typer.Argument(help="The key of the experiment.", metavar="KEY", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document in place of words.")]


def connect() -> Client:
    """A client by what the environment or `sluice login` says. Raises `WrongUse`."""
    found = find_credentials()
    return Client(found.url, found.token)
