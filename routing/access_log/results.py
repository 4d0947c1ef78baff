"""How a request ended, and whose doing that was: the one definition behind rows, guard, measures and documentation.

success      it was answered
redirected   its backend sent it elsewhere (3xx)
rejected     its backend would not have it (4xx, and what gRPC has for it)
failed       its backend did not answer it: by 5xx, a reset, an answer that breaks off or is none
timed-out    its backend took longer than it may
abandoned    its client went away, or broke the protocol
refused      Sluice itself would not have it: a limit, a key, an unknown model
unknown      what its answer holds could not be read, so that nobody knows whether it is one
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from routing.access_log.line import Answer, LogLine
from routing.protocols import Shape
from routing.protocols.types import ANSWER, CODES, ERRORS, NUMBERS, WORDS, Streams


class Result(StrEnum):
    """How a request ended."""

    SUCCESS = "success"
    REDIRECTED = "redirected"
    REJECTED = "rejected"
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    ABANDONED = "abandoned"
    REFUSED = "refused"
    UNKNOWN = "unknown"


FAILED = (Result.FAILED, Result.TIMED_OUT)
"""The results that are errors: the backend did not answer."""

# Envoy's response flags, by whose doing they are. What is none of these says nothing of how a request ended.
OF_CLIENT = frozenset({"DC", "DPE", "DR", "IH"})
OF_TIME = frozenset({"UT", "SI", "DT", "UMSDR"})
OF_BACKEND = frozenset({"UF", "UC", "UR", "UH", "URX", "UPE", "UO", "LR", "DF"})
OF_SLUICE = frozenset({"NR", "NC", "RL", "RLSE", "UAEX", "OM", "DO", "UDO", "LH", "NFCF"})

# What HTTP would say by the status: 5xx and 504; all other numbers but 0 are its 4xx. A client that cancels a call gets
# no trailers: who cancelled one that has some was a server.
GRPC_CANCELLED, GRPC_UNKNOWN, GRPC_TIMED_OUT, GRPC_LARGEST, GRPC_DIGITS = 1, 2, 4, 16, 2
GRPC_FAILED = frozenset({GRPC_CANCELLED, GRPC_UNKNOWN, 12, 13, 14, 15})

# What stands before each message: whether it is compressed, and its length in four bytes.
GRPC_LEAST = 5

# Calls of the Open Inference Protocol, and the tag of the field that answers one: the outputs, or what a message of a
# stream has behind its error.
_OUTPUTS = {"/ModelInfer": "tag=42", "/ModelStreamInfer": "tag=18"}
_INFERS = re.compile(r"GRPCInferenceService(/Model(?:Stream)?Infer)$")
GRPC_STREAM_ERROR = "tag=10"

GRPC = "application/grpc"
GRPC_WEB = "application/grpc-web"

PROBLEM = "application/problem+"

# What OpenAI's API tells of such a job has a member `error` with nothing in it while all is well.
_JOBS = re.compile("/(fine_tuning|evals)/")

WITHOUT_BODY = (204, 205)
# Of an answer whose protocol does not say what it is; what was created or accepted may be told by the headers alone.
WITH_BODY = (200, 203, 206)
WITHOUT_ANSWER = ("HEAD", "OPTIONS", "CONNECT", None)
# What may be asked for by a method that is none of these has a body, or says by its status that it has none.
NOT_MODIFIED = 304
SWITCHES = 101

STOPS = {
    "length": (
        *("length", "max_tokens", "max_output_tokens", "model_length", "model_context_window_exceeded"),
        *("limit", "incomplete"),
    ),
    "content_filter": ("content_filter", "safety", "content_filtered"),
}
"""What servers call an answer that was cut at a length, and one that a filter stopped."""

NOT_STOPPED = ("queued", "in_progress")
"""What the Responses API calls an answer that is still worked out."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a request ended; `cause` is a stable code for why it failed or is unknown, empty where it is neither."""

    result: Result
    cause: str = ""


NO_ANSWER = Ending(Result.FAILED, "no-answer")
BROKE_OFF = Ending(Result.FAILED, "broke-off")
SERVER_ERROR = Ending(Result.FAILED, "server-error")
ERROR = Ending(Result.FAILED, "error-in-answer")
UNFINISHED = Ending(Result.FAILED, "unfinished")
NOT_AS_ASKED = Ending(Result.FAILED, "not-as-asked")
UNREADABLE = Ending(Result.UNKNOWN, "unreadable")
UNDOCUMENTED = Ending(Result.UNKNOWN, "undocumented")


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


def _switched(line: LogLine) -> Ending | None:
    """What is said once both speak something else, as WebSockets do, is not read, nor how it ends: a server that is
    done ends the connection, as one does that breaks off.
    """
    return UNREADABLE if line.status == SWITCHES and _was_asked_for(line) and line.flags != "-" else None


def _told_error(line: LogLine) -> Ending | None:
    """An error within a stream that had begun, however it was ended then."""
    told = line.facts.answer
    return ERROR if line.is_stream and told is not None and told.error else None


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
    return SERVER_ERROR if line.status >= 500 and not _has(line, OF_SLUICE) else None


def _of_client(line: LogLine) -> Ending | None:
    return Ending(Result.ABANDONED) if left_early(line) else None


def _of_sluice(line: LogLine) -> Ending | None:
    """An answer that no backend gave, for a cause that is none of a backend's."""
    refused = line.answered_by is None and 300 <= line.status < 500
    return Ending(Result.REFUSED) if refused or _has(line, OF_SLUICE) else None


def _by_status(line: LogLine) -> Ending | None:
    """A status that is no success; some are none of an answer to what was asked."""
    if 400 <= line.status < 500:
        return Ending(Result.REJECTED)
    if 0 < line.status < 200 or line.status == NOT_MODIFIED:
        return None if _was_asked_for(line) else NO_ANSWER
    return Ending(Result.REDIRECTED) if 300 <= line.status < 400 else None


def _was_asked_for(line: LogLine) -> bool:
    """304 answers a condition that the client set, 101 its wish to speak something else; a POST can have neither."""
    if line.status == NOT_MODIFIED:
        return line.method in ("GET", "HEAD") and line.condition is not None
    return line.status == SWITCHES and line.method in ("GET", "CONNECT")


def _by_grpc(line: LogLine) -> Ending | None:
    """GRPC tells how a call ended in its trailers; one without has broken off. One that went well has a message."""
    if not line.media_type.startswith(GRPC):
        return NO_ANSWER if (line.sent_type or "").lower().startswith(GRPC) else None
    told = _grpc_status(line)
    if told is None:
        return UNREADABLE if line.media_type.startswith(GRPC_WEB) and line.facts.answer is None else BROKE_OFF
    code = int(told) if told.isdecimal() and len(told) <= GRPC_DIGITS else GRPC_UNKNOWN
    if code == GRPC_TIMED_OUT:
        return Ending(Result.TIMED_OUT, "timed-out")
    if code in GRPC_FAILED or code > GRPC_LARGEST:
        return SERVER_ERROR
    return Ending(Result.REJECTED) if code else _of_messages(line)


def _grpc_status(line: LogLine) -> str | None:
    """What the trailers say; the headers have it in their place where nothing else is answered.

    What calls from browsers have for trailers is the end of the body.
    """
    told = line.facts.answer
    found = told.status if told is not None and told.status is not None else line.grpc_status
    if found is None and line.body_bytes == 0:
        found = line.grpc_head_status
    return None if found is None else str(found)


def _of_messages(line: LogLine) -> Ending:
    """A call that went well: its messages are whole, and there is one, with something in it where there has to be."""
    told = line.facts.answer
    if line.body_bytes < GRPC_LEAST or (told is not None and not told.whole):
        return NO_ANSWER
    if told is None:
        return Ending(Result.SUCCESS)
    holds, call = told.names("holds"), _INFERS.search(line.path or "")
    if call and call[1] == "/ModelStreamInfer" and GRPC_STREAM_ERROR in holds:
        return ERROR
    wanted = {_OUTPUTS[call[1]], "more"} if call else {"message"}
    return NO_ANSWER if holds.isdisjoint(wanted) else Ending(Result.SUCCESS)


def _by_headers(line: LogLine) -> Ending | None:
    """A success that is none, whatever answers are by the protocol: nothing, a problem, or a page to who wants none."""
    if line.method in WITHOUT_ANSWER:
        return None
    is_empty = line.method in ("GET", "POST") and line.body_bytes == 0 and line.status in WITH_BODY
    is_wrong = line.media_type.startswith(PROBLEM) or (line.is_page and line.wants_no_page)
    return NO_ANSWER if is_empty or is_wrong else None


def _by_error(line: LogLine) -> Ending | None:
    """A document of an error where the protocol does not say what an answer is.

    Where it leaves all of them to the model, an error may be a number, and several may stand beside an answer.
    """
    told, protocol = line.facts.answer, line.protocol_of_backend
    if told is None or protocol is None or line.shape is not None or line.is_stream or not told.whole:
        return None
    if protocol.shapes:
        if not told.error:
            return None
        is_asked = line.method == "POST" or (line.method == "GET" and not _JOBS.search(line.path or ""))
        return ERROR if is_asked else None
    return ERROR if _is_of_error(told) else None


def _is_of_error(told: Answer) -> bool:
    """Whether a document tells of an error, by its name or by a code and what that means, and of nothing else."""
    held = told.names("holds")
    if not held.isdisjoint(NUMBERS) or (ANSWER in held and held.isdisjoint(ERRORS)):
        return False
    return bool(told.error) or not (held.isdisjoint(CODES) or held.isdisjoint(WORDS))


def _by_body(line: LogLine) -> Ending | None:
    """A success that is none by the protocol, where that says what answers to POSTs are."""
    protocol, shape = line.protocol_of_backend, line.shape
    if protocol is None or not protocol.shapes or line.method != "POST":
        return None
    if line.is_page or (line.body_bytes == 0 and line.status not in WITHOUT_BODY):
        return NO_ANSWER
    if shape is None:
        return UNDOCUMENTED
    if line.status in WITHOUT_BODY:
        return NO_ANSWER
    if not line.is_readable:
        return UNREADABLE
    return _of_stream(line, shape) if line.is_stream else _of_document(line, shape)


def _of_stream(line: LogLine, shape: Shape) -> Ending | None:
    told = line.facts.answer
    if told is None:
        return UNREADABLE
    if shape.streams is Streams.NEVER or (shape.streams is Streams.ASKED and line.asked_for_stream is False):
        return NOT_AS_ASKED
    if shape.marks and told.names("ends").isdisjoint(shape.marks):
        return UNFINISHED
    is_odd = shape.form in told.names("odd")
    if is_odd or not told.whole or not _holds_something(line, shape, shape.parts):
        return NO_ANSWER
    return UNFINISHED if _is_cut(line) or (shape.says_why and not told.stop) else None


def _of_document(line: LogLine, shape: Shape) -> Ending | None:
    told = line.facts.answer
    if told is None or told.looks:
        return None if _is_text(line, shape) or _is_of_media(line, shape) else NO_ANSWER
    if told.whole and told.error:
        return ERROR
    is_hollow = not told.names("holds").isdisjoint(f"{path}!" for path in (*shape.every, *shape.tensors))
    if not told.whole or is_hollow or not _holds_something(line, shape, shape.holds):
        return NO_ANSWER
    if _is_cut(line):
        return UNFINISHED
    asked = shape.streams is Streams.ALWAYS or (shape.streams is Streams.ASKED and line.asked_for_stream)
    return NOT_AS_ASKED if asked else None


def _is_text(line: LogLine, shape: Shape) -> bool:
    """Whether an answer is a text where it may be one, with words in it."""
    return line.media_type.startswith(shape.texts) and _look(line) in (None, "answer")


def _is_cut(line: LogLine) -> bool:
    """Whether its client can call nothing with the arguments of a call; an answer that was cut at a length is one."""
    told = line.facts.answer
    return told is not None and bool(told.cut) and stop(line) not in STOPS


def _is_of_media(line: LogLine, shape: Shape) -> bool:
    """Whether an answer is of a type that it may be of, and longer than the header of one."""
    header = next((header for kind, header in shape.media if line.media_type.startswith(kind)), None)
    return header is not None and line.body_bytes > header and _look(line) in (None, "answer")


def _look(line: LogLine) -> str | None:
    """What it looks like that is no JSON; None where that was not read."""
    return line.facts.answer.looks if line.facts.answer else None


def _holds_something(line: LogLine, shape: Shape, places: tuple[str, ...]) -> bool:
    """Whether an answer holds anything where it should; why it does not is no excuse to who reads it."""
    told = line.facts.answer
    holds = told.names("holds") if told is not None else frozenset()
    if not holds.isdisjoint(f"{path}?" for path in shape.own):
        places = tuple(path for path in places if not path.startswith("?"))
    return not holds.isdisjoint(places) or any(holds.issuperset(promise) for promise in shape.promises)


def stop(line: LogLine) -> str | None:
    """Why the model stopped, in one word for what servers call differently; None where it was not told."""
    told = line.facts.answer
    if told is not None and told.refused:
        return "refusal"
    if told is None or not told.stop or told.stop in NOT_STOPPED:
        return "length" if told and "response.incomplete" in told.names("ends") else None
    word = str(told.stop).lower()
    return next((name for name, words in STOPS.items() if word in words), word)


def left_early(line: LogLine) -> bool:
    """Whether the client went away before it had been sent the end of its answer.

    Clients of streams leave at the last event, often before the body ends.
    """
    told, shape = line.facts.answer, line.shape
    if not _has(line, OF_CLIENT):
        return False
    if told is None or not line.is_stream:
        return told is None or not told.whole
    return shape is None or told.names("ends").isdisjoint(shape.marks)


def _has(line: LogLine, flags: frozenset[str]) -> bool:
    return not flags.isdisjoint(line.flag_set)


RULES: tuple[Callable[[LogLine], Ending | None], ...] = (
    _fell_back,
    _switched,
    _told_error,
    _slow_client,
    _of_time,
    _of_backend,
    _server_error,
    _of_client,
    _of_sluice,
    _by_status,
    _by_grpc,
    _by_headers,
    _by_error,
    _by_body,
)
"""In their order: what a backend said or did comes before what a client did about it."""
