"""How a request ended, and whose doing that was: the one definition behind rows, guard, measures and documentation.

success      it was answered
redirected   its backend sent it elsewhere (3xx)
rejected     its backend would not have it (4xx, and what gRPC has for it)
failed       its backend did not answer it: by 5xx, a reset, an answer that breaks off or is none
timed-out    its backend took longer than it may
abandoned    its client went away, or broke the protocol
refused      Sluice itself would not have it: a limit, a key, an unknown model
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from routing.access_log.line import LogLine
from routing.kinds import KINDS


class Result(StrEnum):
    """How a request ended."""

    SUCCESS = "success"
    REDIRECTED = "redirected"
    REJECTED = "rejected"
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    ABANDONED = "abandoned"
    REFUSED = "refused"


FAILED = (Result.FAILED, Result.TIMED_OUT)
"""The results that are errors: the backend did not answer."""

# Envoy's response flags, by whose doing they are. What is none of these says nothing of how a request ended.
OF_CLIENT = frozenset({"DC", "DPE", "DR", "IH"})
OF_TIME = frozenset({"UT", "SI", "DT", "UMSDR"})
OF_BACKEND = frozenset({"UF", "UC", "UR", "UH", "URX", "UPE", "UO", "LR", "DF"})
OF_SLUICE = frozenset({"NR", "NC", "RL", "RLSE", "UAEX", "OM", "DO", "UDO", "LH", "NFCF"})

# What HTTP would say by the status: 5xx, 504, 499; all other numbers but 0 are its 4xx.
GRPC_FAILED = frozenset({2, 12, 13, 14, 15})
GRPC_TIMED_OUT = 4
GRPC_CANCELLED = 1

HTML = "text/html"
JSON = "json"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a request ended; `cause` is a stable code for why it failed, empty where it did not."""

    result: Result
    cause: str = ""


def ending_of(line: LogLine) -> Ending:
    """How a request ended: the first rule that has an answer."""
    for rule in RULES:
        ending = rule(line)
        if ending is not None:
            return ending
    return Ending(Result.SUCCESS)


def _fell_back(line: LogLine) -> Ending | None:
    """A fallback answered, as no host of the backend could."""
    fell_back = line.answered_by is not None and line.answered_by.backend != line.facts.backend
    return Ending(Result.FAILED, "fell-back") if fell_back else None


def _told_error(line: LogLine) -> Ending | None:
    """An error within a stream that had begun, however it was ended then."""
    told = line.facts.answer
    return Ending(Result.FAILED, "error-in-answer") if line.is_stream and told is not None and told.error else None


def _slow_client(line: LogLine) -> Ending | None:
    """A request that did not arrive in time; a backend's own 408 has no flags."""
    return Ending(Result.ABANDONED) if line.status == 408 and line.flags != "-" else None


def _of_time(line: LogLine) -> Ending | None:
    return Ending(Result.TIMED_OUT, "timed-out") if _has(line, OF_TIME) else None


def _of_backend(line: LogLine) -> Ending | None:
    if not _has(line, OF_BACKEND):
        return None
    return Ending(Result.FAILED, "broke-off" if line.ttft_us is not None else "unreachable")


def _server_error(line: LogLine) -> Ending | None:
    """A status that says so; what of Envoy's own is none of the above is nobody else's."""
    return Ending(Result.FAILED, "server-error") if line.status >= 500 and not _has(line, OF_SLUICE) else None


def _of_client(line: LogLine) -> Ending | None:
    return Ending(Result.ABANDONED) if _has(line, OF_CLIENT) else None


def _of_sluice(line: LogLine) -> Ending | None:
    """An answer that no backend gave, for a cause that is none of a backend's."""
    refused = line.answered_by is None and 300 <= line.status < 500
    return Ending(Result.REFUSED) if refused or _has(line, OF_SLUICE) else None


def _by_status(line: LogLine) -> Ending | None:
    """A status that is no success; 304 answers a condition that the client set."""
    if 400 <= line.status < 500:
        return Ending(Result.REJECTED)
    return Ending(Result.REDIRECTED) if 300 <= line.status < 400 and line.status != 304 else None


def _by_grpc(line: LogLine) -> Ending | None:
    """GRPC tells how a call ended in its trailers; one without has broken off."""
    if not (line.kind or "").startswith("application/grpc"):
        return None
    code = line.grpc_status
    if code in (GRPC_TIMED_OUT, GRPC_CANCELLED):
        return Ending(Result.TIMED_OUT, "timed-out") if code == GRPC_TIMED_OUT else Ending(Result.ABANDONED)
    if not isinstance(code, int) or code in GRPC_FAILED:
        return Ending(Result.FAILED, "broke-off" if code is None else "server-error")
    return Ending(Result.REJECTED) if code else Ending(Result.SUCCESS)


def _no_answer(line: LogLine) -> Ending | None:
    """A success that is none by the protocol, where that says what answers to POSTs are and the body can be read."""
    known = KINDS[line.answered_by.protocol].shapes if line.answered_by and line.answered_by.protocol in KINDS else ()
    if not known or line.method != "POST" or not line.is_readable or not 200 <= line.status < 300:
        return None
    kind = (line.kind or JSON).lower()
    if kind.startswith(HTML) or (line.body_bytes == 0 and line.status != 204):
        return Ending(Result.FAILED, "no-answer")
    if line.is_stream:
        return _unfinished(line)
    return _not_its_shape(line, kind) if line.shape is not None else None


def _unfinished(line: LogLine) -> Ending | None:
    """A stream that ended without the mark of its end, where all streams of its kind have one."""
    assert line.answered_by is not None  # noqa: S101 - checked by the rule
    shapes = (line.shape,) if line.shape else KINDS[line.answered_by.protocol].shapes
    marks = {mark for shape in shapes for mark in shape.ends}
    told = line.facts.answer
    ended = told is None or not marks or not marks.isdisjoint(str(told.ends or "").split())
    return None if ended else Ending(Result.FAILED, "unfinished")


def _not_its_shape(line: LogLine, kind: str) -> Ending | None:
    told = line.facts.answer
    assert line.shape is not None  # noqa: S101 - asked for by the rule
    if JSON in kind and told is not None and told.whole and told.holds in line.shape.holds:
        return None
    return Ending(Result.FAILED, "error-in-answer" if told and told.whole and told.error else "no-answer")


def _has(line: LogLine, flags: frozenset[str]) -> bool:
    return not flags.isdisjoint(line.flags.split(","))


RULES: tuple[Callable[[LogLine], Ending | None], ...] = (
    _fell_back,
    _told_error,
    _slow_client,
    _of_time,
    _of_backend,
    _server_error,
    _of_client,
    _of_sluice,
    _by_status,
    _by_grpc,
    _no_answer,
)
"""In their order: what a backend said or did comes before what a client did about it."""
