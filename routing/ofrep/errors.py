"""Errors in the protocol's form."""

from typing import Any


class FlagError(Exception):
    """An evaluation that is refused: the status, the protocol's code and a sentence."""

    def __init__(self, status: int, code: str, details: str) -> None:
        super().__init__(details)
        self.status = status
        self.code = code
        self.details = details


def error_content(code: str, details: str, key: str | None) -> dict[str, Any]:
    """The body of an error; one of a single flag names it."""
    return {**({} if key is None else {"key": key}), "errorCode": code, "errorDetails": details}
