"""The state of a thing: told by every answer that is one, and checked before a write that names it."""

from typing import Any

import pytest

from controlplane.audit.actors import SLUICE
from experiments.actions.start import start
from experiments.models import Experiment, State
from routing.models import AccessKey, Endpoint, Issuer, Layer
from routing.resources.edit import edit
from routing.resources.register import register
from tests.factories.drafts import backend, draft, endpoint
from tests.factories.tokens import Signer
from tests.visitors.callers import Caller

EDITABLE = (
    "backends/lonely",
    "endpoints/chat",
    "layers/chat",
    "issuers/login",
    "metrics/cost-per-request",
    "experiments/waiting",
)
THINGS = (*EDITABLE, "access-keys/1")
REMOVABLE = (
    "backends/lonely",
    "endpoints/other",
    "layers/empty",
    "issuers/login",
    "metrics/cost-per-request",
    "experiments/waiting",
    "access-keys/1",
)
ANOTHER = '"another"'


@pytest.fixture(scope="module", autouse=True)
def _things(module_database: None) -> None:
    endpoint(standby="candidate")
    endpoint("other")
    backend("lonely")
    register(Issuer(key="login", name="Login", issuer="x", key_set=Signer().key_set()), actor=SLUICE)
    register(Layer(key="empty", name="Empty"), actor=SLUICE)
    AccessKey.objects.create(pk=1, client="batch", prefix="slk_", digest="0" * 64)
    draft("waiting", traffic=10)
    draft("live", traffic=10)


def tag(caller: Caller, path: str) -> str:
    return str(caller.get(path)["ETag"])


def send(caller: Caller, method: str, path: str, body: object, match: str) -> Any:
    return caller.client.generic(
        method,
        f"/api/v1/{path}",
        body if isinstance(body, str) else "{}",
        "application/json",
        headers={"if-match": match},
    )


@pytest.mark.parametrize("path", THINGS)
def test_every_thing_has_a_strong_tag_that_stays_while_it_does(operator: Caller, path: str) -> None:
    first = tag(operator, path)

    assert first.startswith('"')
    assert first.endswith('"')
    assert tag(operator, path) == operator.client.head(f"/api/v1/{path}")["ETag"] == first


@pytest.mark.parametrize("path", EDITABLE)
def test_a_write_answers_with_the_tag_that_a_reader_gets(operator: Caller, path: str) -> None:
    before = tag(operator, path)

    answer = operator.send("PATCH", path, {"name": "Renamed"})

    assert answer["ETag"] == tag(operator, path) != before


def test_what_is_made_has_a_tag(operator: Caller) -> None:
    sent = {"key": "shop", "name": "Shop", "holdout": 2.5}

    assert operator.send("POST", "layers", sent)["ETag"] == tag(operator, "layers/shop")


@pytest.mark.parametrize("path", ["endpoints", "experiments", "experiments/live/decisions", "alerts"])
def test_a_list_has_none(operator: Caller, path: str) -> None:
    assert "ETag" not in operator.get(path)


def test_a_tag_tells_of_all_that_the_answer_holds(operator: Caller) -> None:
    before = tag(operator, "layers/empty")

    operator.send("PATCH", "endpoints/other", {"layer": "empty"})

    assert tag(operator, "layers/empty") != before


@pytest.mark.parametrize("path", EDITABLE)
def test_a_change_of_what_was_not_seen_is_refused(operator: Caller, path: str) -> None:
    before = tag(operator, path)
    operator.send("PATCH", path, {"name": "Theirs"})

    refused = send(operator, "PATCH", path, '{"name": "Mine"}', before)

    assert (refused.status_code, refused["Content-Type"]) == (412, "application/problem+json")
    assert refused.json()["code"] == "outdated"
    assert operator.get(path).json()["name"] == "Theirs"
    assert send(operator, "PATCH", path, '{"name": "Mine"}', tag(operator, path)).status_code == 200


@pytest.mark.parametrize(
    ("form", "status"),
    [("{}", 200), ("*", 200), ('"x", {}', 200), (ANOTHER, 412), ("W/{}", 412), ("nonsense", 412), ("", 412)],
)
def test_tags_are_compared_strongly(operator: Caller, form: str, status: int) -> None:
    match = form.format(tag(operator, "endpoints/chat"))

    assert send(operator, "PATCH", "endpoints/chat", '{"name": "Renamed"}', match).status_code == status


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize("path", REMOVABLE)
def test_what_was_not_seen_is_not_removed(operator: Caller, path: str) -> None:
    assert send(operator, "DELETE", path, "", ANOTHER).status_code == 412
    assert operator.get(path).status_code == 200
    assert send(operator, "DELETE", path, "", tag(operator, path)).status_code == 204


def test_a_switch_of_what_was_not_seen_is_refused(operator: Caller) -> None:
    before = tag(operator, "endpoints/chat")

    assert send(operator, "POST", "endpoints/chat/switch", "{}", before).status_code == 200
    assert send(operator, "POST", "endpoints/chat/switch", "{}", before).status_code == 412
    assert Endpoint.objects.get(key="chat").backend.key == "candidate"


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("start", "{}"),
        ("resume", "{}"),
        ("promote", '{"reason": "looks right"}'),
    ],
)
def test_a_verb_on_what_was_not_seen_is_refused(operator: Caller, verb: str, body: str) -> None:
    if verb != "start":
        start(Experiment.objects.get(key="live"), actor=SLUICE)
    if verb == "resume":
        operator.send("POST", "experiments/live/pause", {})
    state = Experiment.objects.get(key="live").state

    assert send(operator, "POST", f"experiments/live/{verb}", body, ANOTHER).status_code == 412
    assert Experiment.objects.get(key="live").state == state
    answer = send(operator, "POST", f"experiments/live/{verb}", body, tag(operator, "experiments/live"))
    assert (answer.status_code, answer["ETag"]) == (200, tag(operator, "experiments/live"))


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize(("verb", "state"), [("pause", State.PAUSED), ("halt", State.HALTED)])
def test_a_brake_is_meant_for_every_state(operator: Caller, verb: str, state: State) -> None:
    start(Experiment.objects.get(key="live"), actor=SLUICE)
    answer = send(operator, "POST", f"experiments/live/{verb}", '{"reason": "looks wrong"}', ANOTHER)
    assert (answer.status_code, answer.json()["state"]) == (200, state)
    assert answer["ETag"] == tag(operator, "experiments/live")


def test_what_would_be_refused_anyway_says_so_first(operator: Caller) -> None:
    """RFC 9110, 13.2.1: preconditions are for requests that would succeed."""
    assert send(operator, "PATCH", "endpoints/chat", '{"path_prefix": "chat"}', ANOTHER).status_code == 400
    assert send(operator, "PATCH", "endpoints/nothing", "{}", ANOTHER).status_code == 404
    assert send(operator, "PATCH", "experiments/waiting", '{"traffic": 0}', ANOTHER).status_code == 400


def test_what_was_written_down_has_the_tag_of_its_experiment(operator: Caller) -> None:
    answer = operator.get("experiments/waiting/spec")

    assert answer["ETag"] == tag(operator, "experiments/waiting")
    assert send(operator, "PATCH", "experiments/waiting", '{"name": "Mine"}', answer["ETag"]).status_code == 200


def test_a_reader_who_has_it_gets_304(operator: Caller) -> None:
    known = {"if-none-match": tag(operator, "endpoints/chat")}

    again = operator.client.get("/api/v1/endpoints/chat", headers=known)
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", known["if-none-match"])

    edit(Endpoint.objects.get(key="chat"), {"name": "Renamed"}, actor=SLUICE)
    assert operator.client.get("/api/v1/endpoints/chat", headers=known).status_code == 200


@pytest.mark.parametrize("path", EDITABLE)
def test_a_key_stays_as_it_is(operator: Caller, path: str) -> None:
    key = path.rpartition("/")[2]

    refused = operator.send("PATCH", path, {"key": "renamed"})

    assert (refused.status_code, [problem["field"] for problem in refused.json()["problems"]]) == (400, ["key"])
    assert operator.send("PATCH", path, {"key": key, "name": "Renamed"}).status_code == 200
