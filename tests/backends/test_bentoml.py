"""A service of BentoML."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from routing.protocols.load import Load
from tests.backends.servers import PROGRAMS, Fronted, installed, run_server
from tests.waiting import wait_until

pytestmark = pytest.mark.backends


@pytest.fixture(scope="module")
def bentoml(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronted]:
    directory = tmp_path_factory.mktemp("bentoml")
    command: list[str | Path] = [installed("bentoml") / "bentoml", "serve", "service:Sum"]
    command += ["--port", "{port}", "--host", "127.0.0.1"]
    environment = {"BENTOML_HOME": str(directory), "BENTOML_DO_NOT_TRACK": "True", "HOME": str(directory)}
    with run_server(directory, "bentoml", command, cwd=PROGRAMS / "bentoml", env=environment) as front:
        yield front


def test_it_answers_and_tells_no_tokens(bentoml: Fronted) -> None:
    response, row = bentoml.ask("/add", {"numbers": [1, 2, 3]})

    assert response.json() == 6
    assert row["completion_tokens"] is None


def test_its_metrics_tell_what_runs(bentoml: Fronted) -> None:
    asker = threading.Thread(target=bentoml.ask, args=("/add", {"numbers": [1], "seconds": 10}))
    asker.start()

    wait_until(lambda: bentoml.load() == Load(running=1))

    asker.join()
    wait_until(lambda: bentoml.load() == Load(running=0))
