"""What is compared: each on the way from the same client to the same backend, on a port of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.edge import plain_envoy
from bench.edge.processes import accepts, on_first_core
from bench.stats.__main__ import ENVIRONMENTS, python_with
from routing.edge.envoy.envoy_process import FLUSH_MILLISECONDS
from routing.edge.state.files import write_json
from routing.installed_envoy import envoy_binary
from routing.table import Arm, Endpoint, Table, Unit, UnitSource
from tests.factories.tables import make_backend, make_experiment, make_table
from tests.servers.envoys import run_envoy
from tests.servers.processes import free_port, stopping
from tests.waiting import wait_until

LITELLM = "litellm[proxy]==1.106.2"
LITELLM_START_SECONDS = 180.0
LITELLM_SETTINGS = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOG": "ERROR",
    "LITELLM_MODE": "PRODUCTION",
    # It then checks no keys, as nobody else here does.
    "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
}

DIRECT, SLUICE, ENVOY, PEER, NGINX = "no proxy", "Sluice", "Envoy, no splits", "LiteLLM", "nginx, no bodies"

NGINX_CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log {folder}/access.log; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxied;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; keepalive_requests 100000000;
  split_clients "pepper:$http_x_user_id" $arm {{ 50% control; * candidate; }}
  upstream control {{ server 127.0.0.1:{backend}; keepalive 256; keepalive_requests 100000000; }}
  upstream candidate {{ server 127.0.0.1:{backend}; keepalive 256; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=1024; client_max_body_size 32m;
    location / {{
      proxy_pass http://$arm; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off;
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where to ask; `process` is the one that all others of it come from, None where nothing is between."""

    name: str
    port: int
    process: int | None = None


@contextmanager
def run_proxies(folder: Path, backend: int, *, without: set[str]) -> Iterator[list[Proxy]]:
    """All that there are on this machine, on its first core, until the block ends."""
    makers = {SLUICE: run_sluice, ENVOY: run_plain_envoy, PEER: run_litellm, NGINX: run_nginx}
    running = [Proxy(DIRECT, backend)]
    with ExitStack() as stack:
        for name, maker in makers.items():
            if name not in without:
                own = folder / maker.__name__
                own.mkdir()
                running += stack.enter_context(maker(own, backend))
        yield running


def split_table(backend: int) -> Table:
    """Chat by its model, users by their name in the body, half of them on each of two arms of one price."""
    address = f"http://127.0.0.1:{backend}"
    arms = (Arm("control", "stable", 0, 5_000), Arm("candidate", "candidate", 5_000, 10_000))
    experiment = make_experiment("halves", *arms)
    unit = Unit(UnitSource.BODY, "user")
    endpoint = Endpoint("chat", "/v1", unit, "pepper", "stable", 60, (experiment,), models=("chat",))
    return make_table(endpoint, backends=(make_backend("stable", address), make_backend("candidate", address)))


@contextmanager
def run_sluice(folder: Path, backend: int) -> Iterator[list[Proxy]]:
    """Envoy as Sluice configures it."""
    with ExitStack() as stack:
        with on_first_core():
            envoy = stack.enter_context(run_envoy(folder / "edge", split_table(backend)))
        yield [Proxy(SLUICE, envoy.port, envoy.process.pid)]


@contextmanager
def run_plain_envoy(folder: Path, backend: int) -> Iterator[list[Proxy]]:
    """Envoy from a file that knows nothing of Sluice."""
    port = free_port()
    content = plain_envoy.configuration(port, free_port(), backend, str(folder / "access.jsonl"))
    write_json(folder / "envoy.json", content)
    options = ["--disable-hot-restart", "--log-level", "warning", "--component-log-level", "misc:error"]
    options += ["--file-flush-interval-msec", str(FLUSH_MILLISECONDS)]
    command = [str(envoy_binary()), "--config-path", str(folder / "envoy.json"), *options]
    with _listening(ENVOY, command, port) as running:
        yield running


@contextmanager
def run_litellm(folder: Path, backend: int) -> Iterator[list[Proxy]]:
    """LiteLLM's proxy, one worker, with this backend as its only model."""
    port = free_port()
    program = Path(python_with("litellm", LITELLM)).with_name("litellm")
    parameters = {"model": "openai/chat", "api_base": f"http://127.0.0.1:{backend}/v1", "api_key": "none"}
    models = [{"model_name": "chat", "litellm_params": parameters}]
    write_json(folder / "config.json", {"model_list": models, "litellm_settings": {"num_retries": 0}})
    command = [str(program), "--config", str(folder / "config.json"), "--host", "127.0.0.1", "--port", str(port)]
    with _listening(PEER, [*command, "--telemetry", "False"], port, LITELLM_SETTINGS) as running:
        yield running


@contextmanager
def run_nginx(folder: Path, backend: int) -> Iterator[list[Proxy]]:
    """The `split_clients` of nginx, on a header, which is all that it can split by: it reads no bodies."""
    program = nginx_program()
    if program is None:
        print(f"!! {NGINX} is left out: there is no nginx on this machine, and no apt-get that has it.")
        yield []
        return
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX_CONFIGURATION.format(folder=folder, port=port, backend=backend))
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    with _listening(NGINX, command, port) as running:
        yield running


def nginx_program() -> str | None:
    """The machine's nginx, or the distribution's, unpacked under var/bench and not installed."""
    folder = ENVIRONMENTS / "nginx"
    unpacked = folder / "usr" / "sbin" / "nginx"
    if not unpacked.exists() and shutil.which("nginx") is None and shutil.which("apt-get") is not None:
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "nginx"], cwd=folder, check=False, capture_output=True)
        for package in folder.glob("nginx_*.deb"):
            subprocess.run(["dpkg", "--extract", package, folder], check=False)
    return str(unpacked) if unpacked.exists() else shutil.which("nginx")


@contextmanager
def _listening(
    name: str, command: list[str], port: int, environment: dict[str, str] | None = None
) -> Iterator[list[Proxy]]:
    with on_first_core():
        process = subprocess.Popen(command, env={**os.environ, **(environment or {})}, stdout=subprocess.DEVNULL)
    with stopping(process):
        wait_until(lambda: process.poll() is not None or accepts(port), seconds=LITELLM_START_SECONDS)
        assert process.poll() is None, f"{name} ended."
        yield [Proxy(name, port, process.pid)]
