"""Whether the answers of two backends are judged alike: where one protocol says what an answer is, and one does not,
an answer that holds nothing is an error on one side alone.
"""

from collections.abc import Iterable, Iterator

from controlplane.problems.errors import FieldProblem
from routing.models import Backend, Endpoint
from routing.protocols import PROTOCOLS, Protocol
from routing.protocols.plain_http import HTTP

KINDS_DIFFER = "kinds-differ"
NEXT_STEP = "Register both with the same `protocol`, or with protocols of the same API, like `openai` and `vllm`."


def kinds_that_differ(
    endpoint: Endpoint, control: Backend, candidates: Iterable[tuple[str, Backend]]
) -> tuple[FieldProblem, ...]:
    """What is wrong with each candidate, by the field that names its backend."""
    return tuple(_problems(endpoint, control, candidates))


def judged_alike(one: Protocol, other: Protocol, path: str) -> bool:
    """Whether errors of both can be compared at paths that begin with this one.

    They can where both say the same of an answer to it: for a path that is a whole one, what that answers; else where
    they speak one API at least, or neither says what an answer is.
    """
    here = one.shape_of(path), other.shape_of(path)
    if any(here):
        return here[0] == here[1]
    return one.shapes == other.shapes or not set(one.shapes).isdisjoint(other.shapes)


def _problems(
    endpoint: Endpoint, control: Backend, candidates: Iterable[tuple[str, Backend]]
) -> Iterator[FieldProblem]:
    path = endpoint.rewrite or endpoint.path_prefix
    for field, candidate in candidates:
        if not judged_alike(_protocol(control), _protocol(candidate), path):
            yield FieldProblem(
                field,
                f"{candidate.key} has the protocol {candidate.protocol}, and the control's {control.key} has "
                f"{control.protocol}: an error of one may be a success of the other.",
            )


def _protocol(backend: Backend) -> Protocol:
    """One that this release does not know says nothing of its answers."""
    return PROTOCOLS.get(backend.protocol, HTTP)
