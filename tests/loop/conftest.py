"""One installation with live models, shared by the tests of a module."""

from collections.abc import Iterator

import pytest

from examples.demo.models import run_models
from examples.demo.sluice import Sluice
from examples.demo.story import MODELS, register
from tests.loop.installation import Installation, run_installation


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Everything running, with the demo's models registered behind one endpoint."""
    directory = tmp_path_factory.mktemp("installation")
    with run_models(MODELS) as ports, run_installation(directory) as running:
        with Sluice(running.credentials["SLUICE_URL"], running.credentials["SLUICE_TOKEN"]) as sluice:
            register(sluice, ports)
        yield running
