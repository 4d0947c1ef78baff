"""A server that answers browsers' preflights, HEAD and OPTIONS, and remembers what it was asked."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.servers.model_servers import serving
from tests.servers.processes import free_port

METHODS = ["GET", "HEAD", "OPTIONS", "POST", "TRACE"]


@dataclass
class CorsServer:
    """A running server; `headers` are added to each of its answers, and health checks are not among what it saw."""

    name: str
    address: str
    headers: dict[str, str] = field(default_factory=dict)
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    status: int = 200

    async def answer(self, request: Request) -> Response:
        """Lets every origin call it, and says who answered."""
        self.seen.append((request.method, dict(request.headers)))
        named = {"x-answered-by": self.name, "access-control-allow-origin": "*", **self.headers}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=named)
        return JSONResponse({"server": self.name}, status_code=self.status, headers=named)


async def _health(request: Request) -> Response:
    return PlainTextResponse("ok")


@contextmanager
def run_cors_server(name: str) -> Iterator[CorsServer]:
    """Run a server in a thread until the block ends."""
    port = free_port()
    server = CorsServer(name, f"http://127.0.0.1:{port}")
    routes = [Route("/health", _health), Route("/{path:path}", server.answer, methods=METHODS)]
    with serving(Starlette(routes=routes), port):
        yield server
