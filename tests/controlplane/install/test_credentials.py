"""The credentials file of the first start."""

from pathlib import Path

import pytest
from django.contrib.auth import authenticate

from controlplane.accounts.tokens import find_token
from controlplane.install.credentials import ensure_credentials
from controlplane.models import Role, User
from controlplane.settings.environment import Environment, write_missing_secrets

pytestmark = pytest.mark.django_db
NAMES = {"SLUICE_URL", "SLUICE_EDGE_URL", "SLUICE_ADMIN_USER", "SLUICE_ADMIN_PASSWORD", "SLUICE_TOKEN"}


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(data_directory=tmp_path)


def test_the_first_start_writes_what_lets_people_and_scripts_in(environment: Environment) -> None:
    credentials = ensure_credentials(environment)
    path = environment.data_directory / "credentials.env"
    assert set(credentials) == NAMES
    assert path.stat().st_mode & 0o777 == 0o600
    user = authenticate(username=credentials["SLUICE_ADMIN_USER"], password=credentials["SLUICE_ADMIN_PASSWORD"])
    token = find_token(credentials["SLUICE_TOKEN"])
    assert isinstance(user, User)
    assert user.role == Role.ADMIN
    assert token is not None
    assert token.user == user


def test_a_second_start_changes_nothing(environment: Environment) -> None:
    first = ensure_credentials(environment)
    assert ensure_credentials(environment) == first
    assert User.objects.count() == 1


def test_secrets_are_generated_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    write_missing_secrets(tmp_path)
    path = tmp_path / "secrets.env"
    first = path.read_text()
    write_missing_secrets(tmp_path)
    assert path.read_text() == first
    assert path.stat().st_mode & 0o777 == 0o600
    values = dict(line.split("=") for line in first.splitlines())
    assert set(values) == {"SLUICE_SECRET_KEY", "SLUICE_UNIT_KEY"}
    assert len(set(values.values())) == 2
