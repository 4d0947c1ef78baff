"""`sluice login`."""

import sys
from typing import Annotated

import typer

from sluice.calls import Client
from sluice.commands.options import AsJson
from sluice.commands.output import Output
from sluice.configuration import Credentials, write_credentials
from sluice.problems import ExitCode


def login(
    url: Annotated[str, typer.Argument(help="The address of the web app, like http://127.0.0.1:8800.", metavar="URL")],
    *,
    as_json: AsJson = False,
) -> int:
    """Keep an address and a token for later commands. The token is asked for, or read from a pipe."""
    token = typer.prompt("Token", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    with Client(url, token) as client:
        client.check()
        path = write_credentials(Credentials(client.url, token.strip()))
    output = Output(as_json=as_json)
    if as_json:
        output.document({"url": client.url, "file": str(path)})
    output.say(f"Logged in at {client.url}. The token is in {path}, which you alone can read.")
    return ExitCode.PASSED
