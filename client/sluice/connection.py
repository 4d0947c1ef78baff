"""Calls over HTTP: one pool of connections a process, and answers that are JSON or a problem."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from time import sleep
from typing import Any
from uuid import uuid4

import httpx

from sluice.problems import FieldProblem, Problem, Refused, Unreachable, WrongUse

SECONDS = 20.0
PAUSES = (0.5, 2.0)
"""Seconds before a write is sent again whose answer was lost."""

_TOKEN = re.compile(r"[\x21-\x7e]+")
_CHECK = "Check the address and that Sluice runs; trying again is right."
_NO_SLUICE = "Check that the address is that of Sluice's web app, and that no proxy answers in its place."
_TOO_MANY = 429
_FAILED = 500
_UNHEARD = ("unreachable", "no-sluice", "still-running")
"""Codes of what says nothing about whether a write was done."""

Query = Mapping[str, str | int | list[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What Sluice said: the JSON, its status, and its headers."""

    content: Any
    status: int
    headers: Mapping[str, str]


class Connection:
    """Speaks to one Sluice. Processes that fork may share it: each opens connections of its own."""

    def __init__(self, url: str, token: str) -> None:
        """Take the address of the web app and a token. Raises `WrongUse` for what is neither."""
        self.url = _checked_url(url)
        self._headers = {"Authorization": f"Bearer {_checked_token(token)}", "Accept": "application/json"}
        self._pool: tuple[int, httpx.Client] | None = None

    def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content: bytes | None = None,
        query: Query | None = None,
        seconds: float = SECONDS,
    ) -> Answer:
        """One call below `/api/v1/`. Raises `Refused`; `Unreachable` where nothing usable came in so many seconds."""
        sent: dict[str, Any] = {"json": body} if body is not None else {"content": content}
        return _read(self._send(method, path, query, seconds, sent))

    def write(
        self, path: str, *, body: object = None, content: bytes | None = None, seconds: float = SECONDS
    ) -> Answer:
        """One POST that is done once, though it is sent again, twice at the most, where its answer was lost.

        Raises as `call` does.
        """
        sent: dict[str, Any] = {"json": body} if body is not None else {"content": content}
        sent["headers"] = {"Idempotency-Key": str(uuid4())}
        for pause in PAUSES:
            try:
                return _read(self._send("POST", path, None, seconds, sent))
            except (Refused, Unreachable) as problem:
                if problem.code not in _UNHEARD:
                    raise
            sleep(pause)
        return _read(self._send("POST", path, None, seconds, sent))

    def text(
        self,
        method: str,
        path: str,
        kind: str,
        *,
        content: bytes | None = None,
        query: Query | None = None,
        seconds: float = SECONDS,
    ) -> str:
        """One call whose answer is a text of this kind, like `application/yaml`. Raises as `call` does."""
        sent = {"content": content, "headers": {"Accept": f"{kind}, application/json;q=0.1", "Content-Type": kind}}
        answer = self._send(method, path, query, seconds, sent)
        if answer.is_success and answer.headers.get("Content-Type", "").startswith(kind):
            return answer.text
        raise _problem(answer.status_code, None if answer.is_success else _content(answer))

    def _send(
        self, method: str, path: str, query: Query | None, seconds: float, sent: Mapping[str, Any]
    ) -> httpx.Response:
        try:
            return self._client().request(method, f"/api/v1/{path}", params=query, timeout=seconds, **sent)
        except httpx.HTTPError as error:
            raise _unreachable(self.url, error) from error

    def close(self) -> None:
        """Close the connections of this process."""
        if self._pool is not None and self._pool[0] == os.getpid():
            self._pool[1].close()
        self._pool = None

    def _client(self) -> httpx.Client:
        """The client of this process: connections that a fork inherits belong to the process that opened them."""
        if self._pool is None or self._pool[0] != os.getpid():
            self._pool = os.getpid(), httpx.Client(base_url=self.url, headers=self._headers)
        return self._pool[1]


def _checked_url(url: str) -> str:
    try:
        parsed = httpx.URL(url.strip().rstrip("/"))
    except httpx.InvalidURL:
        parsed = httpx.URL("")
    if parsed.scheme not in {"http", "https"} or not parsed.host or parsed.query or parsed.fragment:
        raise WrongUse("url-unusable", f"{url!r} is no address of Sluice.", "Give it as http://host:port.")
    return str(parsed)


def _checked_token(token: str) -> str:
    if not _TOKEN.fullmatch(token.strip()):
        raise WrongUse("token-unusable", "The token is empty or holds what no token holds.", "Copy it whole.")
    return token.strip()


def _unreachable(url: str, error: httpx.HTTPError) -> Unreachable:
    why = "took too long" if isinstance(error, httpx.TimeoutException) else str(error) or type(error).__name__
    return Unreachable("unreachable", f"Sluice does not answer at {url}: {why.rstrip('.')}.", _CHECK)


def _content(answer: httpx.Response) -> Any:
    try:
        return answer.json() if answer.content else None
    except (ValueError, RecursionError):
        return answer.text


def _read(answer: httpx.Response) -> Answer:
    content = _content(answer)
    if answer.is_success and not isinstance(content, str):
        return Answer(content, answer.status_code, answer.headers)
    raise _problem(answer.status_code, content)


def _problem(status: int, content: Any) -> Problem:
    """What Sluice said was wrong; what is no word of its is somebody else's."""
    if not isinstance(content, dict) or not isinstance(content.get("code"), str):
        return Unreachable("no-sluice", f"What answers there is not Sluice: status {status}.", _NO_SLUICE)
    words = content["code"], str(content.get("detail", "")), str(content.get("next_step", ""))
    if status >= _FAILED or status == _TOO_MANY:
        return Unreachable(*words)
    return Refused(*words, status=status, fields=tuple(_fields(content.get("problems"))))


def _fields(problems: Any) -> Iterator[FieldProblem]:
    for each in problems if isinstance(problems, list) else ():
        if isinstance(each, dict):
            line, column = (each[name] if isinstance(each.get(name), int) else None for name in ("line", "column"))
            field, message, allowed = (str(each.get(name, "")) for name in ("field", "message", "allowed"))
            yield FieldProblem(field, message, line, column, allowed)
