"""One live web app for the tests of the client."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.client.live import FILL, Command, command_at, token_of
from tests.visitors.website import Website, run_web_app


@pytest.fixture(scope="package")
def website(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Website]:
    with run_web_app(tmp_path_factory.mktemp("client"), FILL) as running:
        yield running


@pytest.fixture
def sluice(website: Website, tmp_path: Path) -> Command:
    return command_at(website.address, token_of(website), tmp_path)
