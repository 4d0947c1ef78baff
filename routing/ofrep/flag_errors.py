"""Errors in the protocol's form, beside that of every other problem."""

from typing import Any

from controlplane.problems.errors import SluiceError

NEXT_STEPS = {
    400: "Correct the request and send it again.",
    404: "Ask for an experiment that runs; until then take what your code does without one.",
}


class FlagError(SluiceError):
    """An evaluation that is refused: the status, the protocol's code and a sentence."""

    title = "No flag"

    def __init__(self, status: int, protocol_code: str, details: str) -> None:
        super().__init__(protocol_code.lower().replace("_", "-"), details, next_step=NEXT_STEPS[status])
        self.status = status
        self.protocol_code = protocol_code


def error_content(code: str, details: str, key: str | None) -> dict[str, Any]:
    """The members of an error; one of a single flag names it."""
    return {**({} if key is None else {"key": key}), "errorCode": code, "errorDetails": details}
