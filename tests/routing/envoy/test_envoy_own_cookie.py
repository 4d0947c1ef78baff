"""The cookie in which the edge keeps a unit is the edge's own: no backend sets it or deletes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from routing.table import Unit, UnitSource
from tests.factories.tables import make_backend, make_endpoint, make_table
from tests.servers.envoys import RunningEnvoy, run_envoy
from tests.servers.model_servers import serving
from tests.servers.processes import free_port

pytestmark = pytest.mark.slow

ANONYMOUS = replace(
    make_endpoint("anonymous", path_prefix="/anonymous"), unit=Unit(UnitSource.HEADER, "x-user-id", anonymous=True)
)
NAMED = make_endpoint("named", path_prefix="/named")
OTHERS = ["session=s-1; Path=/; HttpOnly", "a=1; Expires=Wed, 21 Oct 2099 07:28:00 GMT", "x-sluice-unit=theirs; Path=/"]
UNIT = "3f0c5a3e-9d5c-4c59-8c2f-0a6b6c0a4f11"


@dataclass
class CookieServer:
    """A running server that sets cookies with each of its answers."""

    address: str
    cookies: list[str] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        response = JSONResponse({})
        for cookie in self.cookies:
            response.headers.append("set-cookie", cookie)
        return response


async def _health(request: Request) -> Response:
    return PlainTextResponse("ok")


@contextmanager
def run_cookie_server() -> Iterator[CookieServer]:
    port = free_port()
    server = CookieServer(f"http://127.0.0.1:{port}")
    routes = [Route("/health", _health), Route("/{path:path}", server.answer, methods=["POST", "GET", "HEAD"])]
    with serving(Starlette(routes=routes), port):
        yield server


@pytest.fixture(scope="module")
def server() -> Iterator[CookieServer]:
    with run_cookie_server() as server:
        yield server


@pytest.fixture(scope="module")
def envoy(tmp_path_factory: pytest.TempPathFactory, server: CookieServer) -> Iterator[RunningEnvoy]:
    table = make_table(ANONYMOUS, NAMED, backends=(make_backend("stable", server.address),))
    with run_envoy(tmp_path_factory.mktemp("edge"), table) as running:
        yield running


def cookies_set(envoy: RunningEnvoy, path: str, headers: dict[str, str], method: str = "POST") -> list[str]:
    return httpx.request(method, f"{envoy.url}{path}", headers=headers).headers.get_list("set-cookie")


@pytest.mark.parametrize(
    "theirs",
    [
        "sluice-unit=; Max-Age=0",
        "sluice-unit=",
        "sluice-unit=4c1f7d0e-0000-4000-8000-000000000000; Path=/anonymous",
        "sluice-unit=x; Path=/; Domain=127.0.0.1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "sluice-unit = x",
        "=sluice-unit=x",
    ],
)
@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/anonymous", {"cookie": f"sluice-unit={UNIT}"}),
        ("/anonymous", {"x-user-id": "alice"}),
        ("/named", {"x-user-id": "alice"}),
        ("/named", {}),
    ],
)
def test_a_backend_sets_all_cookies_but_the_edges_own(
    envoy: RunningEnvoy, server: CookieServer, path: str, headers: dict[str, str], theirs: str
) -> None:
    server.cookies = [OTHERS[0], theirs, *OTHERS[1:], theirs]

    assert cookies_set(envoy, path, headers) == OTHERS


def test_who_has_just_got_a_unit_keeps_it(envoy: RunningEnvoy, server: CookieServer) -> None:
    server.cookies = ["sluice-unit=; Max-Age=0", OTHERS[0]]
    with httpx.Client(base_url=envoy.url) as client:
        first = client.post("/anonymous")
        second = client.post("/anonymous")

    units = [envoy.logged(answer.headers["x-request-id"])["unit"] for answer in (first, second)]
    assert units == [first.headers["x-request-id"]] * 2
    assert [cookie.partition("=")[0] for cookie in first.headers.get_list("set-cookie")] == ["session", "sluice-unit"]
    assert second.headers.get_list("set-cookie") == [OTHERS[0]]


def test_a_backend_that_repeats_a_request_id_gives_nobody_a_new_unit(envoy: RunningEnvoy, server: CookieServer) -> None:
    """Whoever had a unit gets none that looks as the edge's own."""
    server.cookies = []
    given = httpx.post(f"{envoy.url}/anonymous").headers["set-cookie"]
    server.cookies = [given]

    assert cookies_set(envoy, "/anonymous", {"cookie": f"sluice-unit={UNIT}"}) == []


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_other_methods_are_alike(envoy: RunningEnvoy, server: CookieServer, method: str) -> None:
    server.cookies = ["sluice-unit=; Max-Age=0", *OTHERS]

    assert cookies_set(envoy, "/named", {"x-user-id": "alice"}, method) == OTHERS
