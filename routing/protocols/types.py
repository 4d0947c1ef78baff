"""What Sluice knows about a kind of model server."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import unquote

MODEL = "{model}"

DONE = "[DONE]"
"""The last event of a stream of OpenAI's API, which is no JSON."""


class Count(StrEnum):
    """A number that an answer may tell of its request."""

    PROMPT_TOKENS = "prompt_tokens"
    COMPLETION_TOKENS = "completion_tokens"
    TOTAL_TOKENS = "total_tokens"
    CACHE_WRITE_TOKENS = "cache_write_tokens"
    CACHE_READ_TOKENS = "cache_read_tokens"
    QUEUE_MS = "queue_ms"


class Streams(StrEnum):
    """When an answer is a stream of events: never, always, where the request's member `stream` is true, or as it is."""

    NEVER = "never"
    ALWAYS = "always"
    ASKED = "asked"
    FREE = "free"


class ErrorForm(StrEnum):
    """How the protocol of a kind writes an error, as its clients read it.

    `text` is `{"error": "…"}`, of KServe V2, Triton, BentoML and TensorFlow Serving.
    """

    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    TEXT = "text"
    TGI = "tgi"
    TORCHSERVE = "torchserve"


@dataclass(frozen=True, slots=True)
class Question:
    """A GET that is answered by status 200, with `text` in the body, by whom is ready; by anything else while not.

    Without a `port` it goes where requests go; `headers` are sent with it.
    """

    path: str
    text: str = ""
    port: int | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Ready:
    """What an edge asks to learn whether the model is loaded, not only whether the port is open.

    `meaning` is what a server means by it. `of_model` asks for one model of several, `{model}` stands for its name.
    """

    question: Question
    meaning: str
    of_model: Question | None = None

    def asked_by(self, path: str) -> Question:
        """The question that a health path stands for; one that is not of this kind is ready at status 200."""
        if path == self.question.path:
            return self.question
        if self.of_model and re.fullmatch(re.escape(self.of_model.path).replace(re.escape(MODEL), "[^/]+"), path):
            return replace(self.of_model, path=path)
        return Question(path)


@dataclass(frozen=True, slots=True)
class Told:
    """A number and the path of the JSON member that tells it, as of `Shape`; the last one of a stream counts."""

    count: Count
    path: str


FAILS = ("error", "error_code", "type=error", "object=error")
"""What tells of an error in answers of all kinds, as paths of `Shape`."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What an answer to a POST is, where the protocol says so.

    `paths` is a regular expression for the end of the path. Members are told by their path from the top of a document,
    `*` for each of a list and `?` for each member that no path names. `choices.*.text` has something that is a text
    with any letter but blanks; `choices[]` that is a list or an object which is not empty; `data[*]` that is not null;
    `data[+]` that is a vector with a number but zero, in base64 too. The last two look into lists. `error[number]` has
    a number alone, `code[code]` a number or a word that is the code of an error. `status=queued` has that text or, as
    in `background=true`, that literal.

    A plain answer is JSON that has something in one of `holds`, or in all of one of `promises` where it is still to
    come; a stream has something in one of `parts` in one of its events. An object with one of `voids`, a path with its
    text behind a `=`, holds nothing, whatever is in it. Members that are `known` are none of `?`, and `?` counts only
    where none of `own` is there, be it empty. Each of the objects `every` has to hold something, and of texts that are
    `aloud` only what stands outside of marks of thinking counts. Texts that are `arguments` are JSON each, those that
    are `pieces` are so together, unless one of the numbers `several` is not zero, which says that those of several
    answers come by turns. An answer fails that has something in one of `fails`, or there the text behind a `=`. A
    stream ends with one of `ends`, `[DONE]` or the name of an event, or with an event that has one of `last`, which may
    be empty. The members `stops` say why the model stopped; a stream that never did although it `says_why` was cut off.
    `form` are the names of members, with a `|` between them, of which each event has at least one at its top; empty
    where it may have any. `refusals` hold what the model says instead of an answer. `completes` is False where an
    answer has no completion, and so no tokens of one. It may be no JSON but a text of one of the types `texts`, with
    words in it, or of one of the types of `media`, each with the bytes of its header, which it has more of. Each of the
    objects `tensors` has as many elements as its shape says. `streams` says when it is a stream.
    """

    paths: str
    holds: tuple[str, ...]
    parts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    says_why: bool = False
    refusals: tuple[str, ...] = ()
    form: str = ""
    promises: tuple[tuple[str, ...], ...] = ()
    voids: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    several: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    every: tuple[str, ...] = ()
    aloud: tuple[str, ...] = ()
    fails: tuple[str, ...] = FAILS
    tensors: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    media: tuple[tuple[str, int], ...] = ()
    completes: bool = True
    streams: Streams = Streams.NEVER

    @property
    def marks(self) -> tuple[str, ...]:
        """What a stream ends with; none where the protocol has no such mark."""
        return (*self.ends, *self.last)

    def is_for(self, path: str) -> bool:
        """Whether it is what a path, with or without a query and encoded or not, answers."""
        return re.search(rf"(?:{self.paths})/*$", unquote(path.partition("?")[0]), re.IGNORECASE) is not None


ANSWER = "?[*]"
ERRORS = ("error", "error[]", "error_code")
NUMBERS = ("error[number]", "errors[number]")
CODES = ("code[code]", "status_code[code]", "statusCode[code]")
WORDS = ("message", "msg")
"""What a document may hold of which no protocol says anything: other members, an error in words, an error of a fit, and
the code and the words of an error."""

FREE = Shape(
    r"",
    holds=(ANSWER, *ERRORS, *NUMBERS, *CODES, *WORDS),
    fails=(
        *(*FAILS, "errors", "error_message", "error_msg", "error_description", "detail", "traceback"),
        *("status=error", "status=failed"),
    ),
    known=(
        *("code", "status", "status_code", "statusCode", "type", "error_type", "object", "title", "success", "ok"),
        *("message", "msg", "detail", "details", "trace"),
        *("id", "request_id", "requestId", "time", "timestamp", "path", "instance", "model", "model_name", "version"),
    ),
    streams=Streams.FREE,
)
"""What is known of answers of which a protocol says nothing: a document that tells of an error."""


@dataclass(frozen=True, slots=True)
class CacheShares:
    """What a prompt token costs that is written to a cache or read from it, as a share of what any other costs."""

    written: float
    read: float


@dataclass(frozen=True, slots=True)
class Series:
    """Samples of one metric: those that carry all of these labels."""

    metric: str
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LoadMetrics:
    """Where a server tells its load, as Prometheus text; of several series the first that is there counts.

    Without a `port` they are where requests go.
    """

    path: str
    waiting: tuple[Series, ...] = ()
    running: tuple[Series, ...] = ()
    cache_used: tuple[Series, ...] = ()
    port: int | None = None


@dataclass(frozen=True, slots=True)
class Protocol:
    """What a kind of model server speaks; what its documentation does not say is left empty, and unknown.

    `plain` and `streamed` are what its answers tell of tokens, `headers` which response header tells what, `shapes`
    what an answer is, and `model_in_path` a regular expression whose one group finds the model's name in a path.
    `errors` is the form in which its clients read an error: OpenAI's where it has none of its own, as that is what most
    clients of models read. With `cache` its count of prompt tokens leaves out those of a cache, which it tells apart.
    """

    key: str
    label: str
    about: str
    ready: Ready
    plain: tuple[Told, ...] = ()
    streamed: tuple[Told, ...] = ()
    headers: tuple[tuple[str, Count], ...] = ()
    shapes: tuple[Shape, ...] = ()
    cache: CacheShares | None = None
    load: LoadMetrics | None = None
    model_in_path: str = ""
    errors: ErrorForm = ErrorForm.OPENAI

    @property
    def tells(self) -> bool:
        """Whether anything is said of what its answers hold."""
        return bool(self.plain or self.streamed or self.shapes)

    def shape_of(self, path: str) -> Shape | None:
        """What an answer to this path is; None where the protocol does not say."""
        return next((shape for shape in self.shapes if shape.is_for(path)), None)

    def ready_path(self, model: str = "") -> str:
        """The path that tells whether the server, or this one model of it, is ready.

        Raises:
            ValueError: servers of this kind do not tell it of a single model.

        """
        if not model:
            return self.ready.question.path
        if self.ready.of_model is None:
            raise ValueError(f"{self.label} does not tell of a single model whether it is ready.")
        return self.ready.of_model.path.replace(MODEL, model)
