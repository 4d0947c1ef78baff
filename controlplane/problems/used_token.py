"""The token by which a request came: the audit trail and the logs name it, as one person may have many."""

import structlog

_NAME = "token"


def note_token(name: str) -> None:
    """The request that is served now came by it."""
    structlog.contextvars.bind_contextvars(**{_NAME: name})


def forget_token() -> None:
    """The request is served."""
    structlog.contextvars.unbind_contextvars(_NAME)


def current_token() -> str:
    """What the token is called by which the request came that is served now; empty where it came by none."""
    return str(structlog.contextvars.get_contextvars().get(_NAME, ""))
