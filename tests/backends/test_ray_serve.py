"""An application on Ray Serve."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backends.servers import PROGRAMS, Fronted, installed, run_server

pytestmark = pytest.mark.backends


@pytest.fixture(scope="module")
def ray_serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    directory = tmp_path_factory.mktemp("ray")
    command: list[str | Path] = [installed("ray_serve") / "python", PROGRAMS / "ray_serve/application.py", "{port}"]
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "HOME": str(directory)}
    with run_server(directory, "ray-serve", command, env=environment) as front:
        yield front


def test_an_answer_of_openais_form_tells_its_tokens(ray_serve: Fronted) -> None:
    response, row = ray_serve.ask("/v1/chat/completions", {"messages": []})

    usage = response.json()["usage"]
    assert (row["prompt_tokens"], row["completion_tokens"]) == (usage["prompt_tokens"], usage["completion_tokens"])
