"""What Sluice knows about a kind of model server."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

MODEL = "{model}"


class Count(StrEnum):
    """A number that an answer may tell of its request."""

    PROMPT_TOKENS = "prompt_tokens"
    COMPLETION_TOKENS = "completion_tokens"
    QUEUE_MS = "queue_ms"


@dataclass(frozen=True, slots=True)
class Question:
    """A GET that is answered by status 200, with `text` in the body, by whom is ready; by anything else while not.

    Without a `port` it goes where requests go.
    """

    path: str
    text: str = ""
    port: int | None = None


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
    """A number and the steps into the JSON of an answer, or into that of an event of a stream, which lead to it."""

    count: Count
    steps: tuple[str, ...]


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
class Kind:
    """A kind of model server; what its documentation does not say is left empty, and unknown.

    `plain` and `streamed` are what its answers tell of tokens, `headers` which response header tells what, and
    `model_in_path` a regular expression whose one group finds the model's name in a path.
    """

    key: str
    label: str
    about: str
    ready: Ready
    plain: tuple[Told, ...] = ()
    streamed: tuple[Told, ...] = ()
    headers: tuple[tuple[str, Count], ...] = ()
    load: LoadMetrics | None = None
    model_in_path: str = ""

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
