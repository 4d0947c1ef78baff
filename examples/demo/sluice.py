"""A small client of Sluice's REST API."""

import os
from pathlib import Path
from typing import Any, Self

import httpx

NOT_FOUND = 404


class NotRunning(Exception):
    """Sluice is not running here, or says no."""


def read_credentials() -> dict[str, str]:
    """The credentials that `make run` wrote. Raises `NotRunning` when there are none."""
    path = Path(os.environ.get("SLUICE_DATA_DIRECTORY", "var")) / "credentials.env"
    if not path.exists():
        raise NotRunning("Sluice has not been started here; run `make run` in another terminal first.")
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


class Sluice:
    """The calls that the demo makes; leaving its block closes the connections."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def check(self) -> None:
        """Raise `NotRunning` unless Sluice answers."""
        try:
            self.call("GET", "")
        except httpx.HTTPError as error:
            raise NotRunning(f"Sluice does not answer at {self.url}; run `make run` in another terminal.") from error

    def call(self, method: str, path: str, body: object = None) -> Any:
        """One call; raises `NotRunning` with Sluice's own words when it refuses."""
        answer = self._client.request(method, f"/api/v1/{path}", json=body)
        if answer.is_error:
            raise NotRunning(f"{method} {path}: {answer.json().get('detail', answer.text)}")
        return answer.json() if answer.content else None

    def ensure(self, kind: str, thing: dict[str, Any]) -> None:
        """Make a thing, or bring the one that is there in line."""
        path = f"{kind}/{thing['key']}"
        if self._client.get(f"/api/v1/{path}").status_code == NOT_FOUND:
            self.call("POST", kind, thing)
        else:
            self.call("PATCH", path, {name: value for name, value in thing.items() if name != "key"})

    def experiment_keys(self) -> set[str]:
        """Keys of all experiments."""
        return {experiment["key"] for experiment in self.call("GET", "experiments?limit=500")["results"]}
