"""What keeps an edge from calling one backend keeps no table, and so no brake, from users."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import httpx
import pytest
from redis import Redis

from routing import installed_envoy
from routing.allocation.assign import assign
from routing.edge.envoy.callable_backends import read_secrets
from routing.edge.envoy.configuration import as_served
from routing.edge.envoy.envoy_admin import EnvoyAdmin
from routing.edge.state.files import EdgeDirectory
from routing.edge.state.kept_cuts import Cuts
from routing.edge.state.status import EdgeStatus
from routing.edge.table.applier import Applier
from routing.edge.table.follower import Follower
from routing.table import Arm, Backend, Brake, BrakeKind, Credential, Endpoint, Shadow, Table, apply_brakes
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table
from tests.routing.edge.edges import RunningEdge, heartbeat, publish, run_edge, wait_for_beat
from tests.servers.model_servers import ModelServer
from tests.servers.processes import RunningValkey
from tests.waiting import wait_until

pytestmark = pytest.mark.slow

CANARY = make_experiment("canary", Arm("control", "stable", 0, 5_000), Arm("new", "candidate", 5_000, 10_000))
CHAT = make_endpoint("chat", CANARY)
ALONE = make_endpoint("chat")
UNIT = next(unit for unit in map(str, range(400)) if assign(CHAT, unit).variant == "new")
VERSIONS = count(1)


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory, valkey: RunningValkey) -> Iterator[RunningEdge]:
    with run_edge(tmp_path_factory.mktemp("edge"), valkey.url) as running:
        yield running


class Backends:
    """One for all, a candidate, and one that no experiment names."""

    def __init__(self, stable: ModelServer, candidate: ModelServer) -> None:
        self.stable = make_backend("stable", stable.address)
        self.candidate = make_backend("candidate", candidate.address)
        self.late = make_backend("late", candidate.address)

    def table(self, *endpoints: Endpoint, **changed: Backend) -> Table:
        """The next table, of these endpoints, with some backends in another form."""
        return make_table(*endpoints, backends=tuple((vars(self) | changed).values()), version=next(VERSIONS))


@pytest.fixture
def backends(stable: ModelServer, candidate: ModelServer) -> Backends:
    return Backends(stable, candidate)


def calling(backend: Backend) -> Backend:
    """The backend, to be called with what the edge does not have."""
    return replace(backend, credential=Credential("nope"))


def serve(edge: RunningEdge, redis: Redis, table: Table) -> None:
    """Publish a table; return once the edge confirms it."""
    publish(redis, table)
    wait_for_beat(redis, applied_version=str(table.version))
    edge.wait_for_table(table.version)


def who_answers(edge: RunningEdge) -> str:
    answer: str = httpx.post(f"{edge.url}/chat", json={}, headers={"x-user-id": UNIT}).json()["server"]
    return answer


def wait_until_told(redis: Redis, backend: str) -> None:
    wait_until(lambda: f"Backend {backend} is called with nope" in heartbeat(redis).get("error", ""))


def write_credential(directory: EdgeDirectory, content: bytes = b"secret") -> Path:
    directory.credentials.mkdir(exist_ok=True)
    file = directory.credentials / "nope"
    file.write_bytes(content)
    return file


def test_a_backend_that_nothing_names_hinders_nothing(edge: RunningEdge, redis: Redis, backends: Backends) -> None:
    late = calling(backends.late)
    serve(edge, redis, backends.table(CHAT, late=late))
    assert who_answers(edge) == "candidate"

    serve(edge, redis, apply_brakes(backends.table(CHAT, late=late), [Brake(BrakeKind.EXPERIMENT, "canary")]))

    assert who_answers(edge) == "stable"
    wait_for_beat(redis, error="", healthy="1")


@pytest.mark.parametrize("brake", [Brake(BrakeKind.EXPERIMENT, "canary"), Brake(BrakeKind.EXPERIMENTS)])
def test_a_candidate_that_cannot_be_called_as_it_is_now_is_called_as_before_until_a_brake(
    edge: RunningEdge, redis: Redis, backends: Backends, brake: Brake
) -> None:
    serve(edge, redis, backends.table(CHAT))
    edited = calling(backends.candidate)

    serve(edge, redis, backends.table(CHAT, candidate=edited))

    wait_until_told(redis, "candidate")
    assert who_answers(edge) == "candidate"
    serve(edge, redis, apply_brakes(backends.table(CHAT, candidate=edited), [brake]))
    assert who_answers(edge) == "stable"


def test_a_new_candidate_that_cannot_be_called_has_no_users_until_it_can(
    edge: RunningEdge, redis: Redis, backends: Backends
) -> None:
    serve(edge, redis, backends.table(ALONE))

    serve(edge, redis, backends.table(CHAT, candidate=calling(backends.candidate)))

    wait_until_told(redis, "candidate")
    assert who_answers(edge) == "stable"
    file = write_credential(edge.directory)
    wait_until(lambda: who_answers(edge) == "candidate")
    wait_for_beat(redis, error="", healthy="1")
    file.unlink()
    wait_until(lambda: who_answers(edge) == "stable")
    wait_until_told(redis, "candidate")


def test_an_endpoint_whose_own_backend_cannot_be_called_answers_503_and_others_have_the_table(
    edge: RunningEdge, redis: Redis, backends: Backends
) -> None:
    other = make_endpoint("other", path_prefix="/other", backend="late")
    serve(edge, redis, backends.table(other))

    serve(edge, redis, backends.table(ALONE, other, stable=calling(backends.stable)))

    answer = httpx.post(f"{edge.url}/chat", json={})
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert answer.json()["detail"]
    assert httpx.post(f"{edge.url}/other", json={}).json()["server"] == "candidate"
    wait_until_told(redis, "stable")


def test_its_fallback_answers(edge: RunningEdge, redis: Redis, backends: Backends) -> None:
    serve(edge, redis, backends.table())

    serve(edge, redis, backends.table(ALONE, stable=replace(calling(backends.stable), fallback="late")))

    wait_until(lambda: httpx.post(f"{edge.url}/chat", json={}).status_code == 200)
    assert who_answers(edge) == "candidate"


def test_an_agent_that_starts_anew_knows_what_it_cannot_call(
    edge: RunningEdge, redis: Redis, backends: Backends
) -> None:
    serve(edge, redis, backends.table(CHAT))
    serve(edge, redis, backends.table(CHAT, candidate=calling(backends.candidate)))
    edge.kill_agent()
    wait_until(lambda: not heartbeat(redis) or redis.delete("sluice:edge:edge-1"))

    edge.start_agent()

    wait_until_told(redis, "candidate")
    assert who_answers(edge) == "candidate"
    file = write_credential(edge.directory)
    wait_for_beat(redis, error="", healthy="1")
    file.unlink()


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", b"\x00", b"\xff"])
def test_a_file_that_is_no_line_of_text_is_none(tmp_path: Path, content: bytes) -> None:
    directory = EdgeDirectory(tmp_path)
    write_credential(directory, content)
    (directory.credentials / "folder").mkdir()
    (directory.credentials / "sound").write_text("secret\n")

    assert read_secrets(directory) == {"sound": "secret"}


def test_no_copies_go_to_a_shadow_that_cannot_be_called(tmp_path: Path, backends: Backends) -> None:
    copied = replace(ALONE, shadows=(Shadow("canary", 0, "new", "candidate", 10_000),))
    directory = EdgeDirectory(tmp_path)
    table = backends.table(copied, candidate=calling(backends.candidate))

    served = as_served(directory, table, Cuts(directory.cuts))

    assert (served.endpoints[0].shadows, served.cut) == ((), ("canary/new",))
    write_credential(directory)
    assert as_served(directory, table, Cuts(directory.cuts)) == table


def test_a_backend_with_https_hinders_nothing_else_where_there_are_no_certificate_authorities(
    tmp_path: Path, valkey: RunningValkey, redis: Redis, backends: Backends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere"))
    monkeypatch.setattr(installed_envoy, "AUTHORITIES", ())
    edge, status = RunningEdge(tmp_path, valkey.url), EdgeStatus()
    edge.start_envoy()
    try:
        envoy = EnvoyAdmin("127.0.0.1", edge.port, edge.directory.admin)
        applier = Applier(edge.directory, envoy, Cuts(edge.directory.cuts))
        follower = Follower(redis, envoy, applier, status, confirm=list)
        table = backends.table(CHAT, candidate=make_backend("candidate", "https://models.example.com"))
        publish(redis, table)

        wait_until(lambda: (follower.step(), applier.applied.version == table.version)[1])
        follower.step()
        # The client wants some too.
        monkeypatch.undo()

        assert who_answers(edge) == "stable"
        assert status.served_version == table.version
        assert "none to check backend candidate against" in status.table_error
    finally:
        edge.stop()
