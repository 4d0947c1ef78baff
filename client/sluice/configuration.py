"""Where Sluice is and with which token: the environment, else the file that `sluice login` wrote."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import typer

from sluice.problems import WrongUse

URL, TOKEN = "SLUICE_URL", "SLUICE_TOKEN"
_LOG_IN = f"Run `sluice login`, or set {URL} and {TOKEN}."


@dataclass(frozen=True, slots=True)
class Credentials:
    """The address of the web app, and a token."""

    url: str
    token: str


def credentials_file() -> Path:
    """The file in the user's own folder for configuration."""
    return Path(typer.get_app_dir("sluice")) / "credentials.json"


def find_credentials(environment: Mapping[str, str] = os.environ) -> Credentials:
    """The environment's, else those of the file. Raises `WrongUse`.

    A token goes to the server that it is of alone: the file's is not sent to another address of the environment.
    """
    stored = _read(credentials_file())
    url = environment.get(URL) or (stored.url if stored else "")
    known = stored.token if stored and stored.url == url.rstrip("/") else ""
    token = environment.get(TOKEN) or known
    if not url:
        raise WrongUse("not-logged-in", "Nothing says where Sluice is.", _LOG_IN)
    if not token:
        raise WrongUse("not-logged-in", f"There is no token for {url}.", _LOG_IN)
    return Credentials(url, token)


def write_credentials(credentials: Credentials) -> Path:
    """Keep them in a file that its owner alone can read. Raises `WrongUse` where that cannot be written."""
    path = credentials_file()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            json.dump({"url": credentials.url, "token": credentials.token}, file)
        partial.replace(path)
    except OSError as error:
        raise WrongUse("file-unwritable", f"{path} cannot be written: {error.strerror}.", _LOG_IN) from error
    return path


def _read(path: Path) -> Credentials | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Credentials(str(content["url"]), str(content["token"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WrongUse("file-unreadable", f"{path} cannot be read.", "Run `sluice login` again.") from error
