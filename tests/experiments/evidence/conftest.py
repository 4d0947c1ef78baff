"""A place for a lake."""

import pytest


@pytest.fixture
def lake_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where a new lake may be made."""
    return str(tmp_path_factory.mktemp("lake") / "lake")
