"""An endpoint's traffic in words."""

from collections.abc import Iterator, Mapping

from controlplane.web.shares import percent
from routing.lake.endpoint_traffic import EndpointTraffic

RESULTS = {
    "success": "Answered",
    "redirected": "Redirected by the backend (3xx)",
    "rejected": "Rejected by the backend (4xx)",
    "failed": "Failed by the backend",
    "timed-out": "Timed out",
    "abandoned": "Abandoned by the client",
    "refused": "Refused by Sluice: key, limit, size or model",
    "unknown": "Unknown: the answer could not be read",
}
FAILURES = {
    "server-error": "The backend answered 5xx",
    "unreachable": "The backend could not be reached, or broke off before it answered",
    "broke-off": "The answer broke off",
    "timed-out": "The answer took too long",
    "fell-back": "No host was healthy, and the fallback answered",
    "error-in-answer": "Status 200, and the answer was an error",
    "unfinished": "A stream ended without the mark of its end, or never told why the model stopped",
    "no-answer": "Status 200, and no answer: HTML, empty, without anything in it, or no JSON that the protocol "
    "knows; or a status that is no answer, like 304 for a POST",
    "not-as-asked": "A stream instead of a plain answer, or the other way round",
    "unreadable": "The answer was compressed although the edge asked for none of that, and could not be read",
    "undocumented": "The backend's protocol does not say what an answer to this path is",
}
WITHOUT_UNIT = {
    "absent": "The request has no user id",
    "not-json": "The user id is in a body that is not sent as JSON: set `Content-Type: application/json`",
    "unreadable-json": "The user id is in a body that could not be read: it is no JSON, or holds half a letter, or a "
    "number of 2^63 or more: send that as text",
    "inexact-number": "The user id is a number that loses digits on its way: send it as text",
    "not-text": "The user id is neither text nor a whole number",
    "control-characters": "The user id holds control characters",
    "too-long": "The user id is longer than 1000 bytes",
}
UNREADABLE = {
    "prompt_tokens": "Prompt tokens",
    "completion_tokens": "Completion tokens",
    "total_tokens": "Total tokens",
    "queue_ms": "Time in the queue",
}

Row = tuple[str, int, str]


def traffic_tables(traffic: EndpointTraffic) -> list[tuple[str, list[Row]]]:
    """Title and rows of each table: what, how many, and their share of all requests; an empty table is left out."""
    parts = (
        ("How requests ended", traffic.results, RESULTS),
        ("Why requests failed, or are unknown", traffic.failures, FAILURES),
        ("Why requests have no user and are in no experiment", traffic.without_unit, WITHOUT_UNIT),
        ("Numbers that could not be read and count as unknown", traffic.unreadable, UNREADABLE),
    )
    return [(title, list(_rows(counts, words, traffic.requests))) for title, counts, words in parts if counts]


def _rows(counts: Mapping[str, int], words: Mapping[str, str], total: int) -> Iterator[Row]:
    for name, count in counts.items():
        yield words.get(name, name), count, percent(count / total)
