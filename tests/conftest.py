"""Fixtures that every test may use."""

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
