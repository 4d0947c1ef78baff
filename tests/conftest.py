"""Fixtures that every test may use. Settings are set before anything of Sluice is imported."""

import os
import tempfile

os.environ["SLUICE_DATA_DIRECTORY"] = tempfile.mkdtemp(prefix="sluice-tests-")
os.environ["SLUICE_REDIS_URL"] = "redis://127.0.0.1:1/0"
os.environ["SLUICE_SECRET_KEY"] = "tests"
os.environ["SLUICE_UNIT_KEY"] = "ab" * 32

import pytest

from controlplane.models import Role
from tests.people import Caller, caller


@pytest.fixture
def stranger() -> Caller:
    return caller(None)


@pytest.fixture
def viewer(db: None) -> Caller:
    return caller(Role.VIEWER)


@pytest.fixture
def operator(db: None) -> Caller:
    return caller(Role.OPERATOR)


@pytest.fixture
def admin(db: None) -> Caller:
    return caller(Role.ADMIN)
