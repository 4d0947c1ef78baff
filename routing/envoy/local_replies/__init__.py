"""What a client reads when Envoy answers by itself: a problem that says what to do next, in the form of its protocol.

The answer is one JSON object that is both: it has the members of `application/problem+json`, and those of the form of
error that the protocol has. Where both have a member of the same name, the protocol's stands.
"""

from routing.envoy.local_replies.conditions import all_of
from routing.envoy.local_replies.forms import FORMS, Form
from routing.envoy.local_replies.problems import PROBLEMS, LocalProblem
from routing.envoy.names import Message


def local_replies() -> Message:
    """Envoy's own answers; the backends' answers are left as they are. Of all mappers the first that matches counts."""
    return {"mappers": [_mapper(problem, form) for problem in PROBLEMS for form in FORMS]}


def _mapper(problem: LocalProblem, form: Form) -> Message:
    return {
        "filter": all_of(*problem.when, *form.when),
        "body_format_override": form.body(problem),
        "headers_to_add": [_header(name, value) for name, value in (*problem.headers, *form.headers)],
    }


def _header(name: str, value: str) -> Message:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
