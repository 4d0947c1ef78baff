"""The demo's model servers, as child processes."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import httpx

from examples.demo.story import Model

START_SECONDS = 300.0


@contextmanager
def run_models(models: tuple[Model, ...]) -> Iterator[dict[str, int]]:
    """Start a server for each model; yields their ports by key, and stops them at the end."""
    with ExitStack() as running:
        yield {model.key: running.enter_context(_run(model)) for model in models}


def counts(port: int) -> dict[str, int]:
    """What a server counted itself."""
    answer: dict[str, int] = httpx.get(f"http://127.0.0.1:{port}/counts", timeout=5).json()
    return answer


@contextmanager
def _run(model: Model) -> Iterator[int]:
    port = _free_port()
    profile = {"name": model.key, "seconds": model.seconds, "error-rate": model.error_rate, "quality": model.quality}
    options = [word for name, value in profile.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "examples.backend", "--port", str(port), *options]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        _wait_until_ready(port, process)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(f"http://127.0.0.1:{port}/health", timeout=1)
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"The model server on port {port} did not start.")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
