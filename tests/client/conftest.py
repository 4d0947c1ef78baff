"""One live web app for the tests of the client."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.client.live import FILL, Command, command_at, token_of
from tests.visitors.website import Website, run_web_app


@pytest.fixture(scope="package")
def website(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Website]:
    with run_web_app(tmp_path_factory.mktemp("client"), FILL) as running:
        yield running


@pytest.fixture(scope="package")
def later_apps(website: Website) -> Iterator[ExitStack]:
    """Web apps that take the place of the first, for all tests that follow."""
    with ExitStack() as apps:
        yield apps


@pytest.fixture
def sluice(website: Website, tmp_path: Path) -> Command:
    return command_at(website.address, token_of(website), tmp_path)
