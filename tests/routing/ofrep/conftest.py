"""A real Valkey for exposures."""

from collections.abc import Iterator

import pytest

from tests.servers import RunningValkey, run_valkey


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningValkey]:
    with run_valkey(tmp_path_factory.mktemp("valkey")) as running:
        yield running
