"""The first admin, its token, and the file that says how to reach this installation."""

import secrets
from pathlib import Path

from controlplane.accounts.tokens import issue_token
from controlplane.models import Role, User
from controlplane.settings import Environment

FILE_NAME = "credentials.env"
ADMIN = "admin"


def ensure_credentials(environment: Environment) -> dict[str, str]:
    """Create the admin and the credentials file at the first start; afterwards read it as it is."""
    path = environment.data_directory / FILE_NAME
    if not path.exists():
        _write(path, _create(environment))
    return read_credentials(path)


def read_credentials(path: Path) -> dict[str, str]:
    """The `NAME=value` lines of a credentials file."""
    lines = [line for line in path.read_text().splitlines() if "=" in line]
    return dict(line.split("=", 1) for line in lines)


def _create(environment: Environment) -> dict[str, str]:
    password = secrets.token_urlsafe(12)
    admin, _ = User.objects.get_or_create(username=ADMIN, defaults={"role": Role.ADMIN})
    admin.set_password(password)
    admin.role = Role.ADMIN
    admin.save()
    return {
        "SLUICE_URL": f"http://{environment.web_host}:{environment.web_port}",
        "SLUICE_EDGE_URL": f"{_scheme(environment)}://{environment.edge_host}:{environment.edge_port}",
        "SLUICE_ADMIN_USER": ADMIN,
        "SLUICE_ADMIN_PASSWORD": password,
        "SLUICE_TOKEN": issue_token(admin, "first start", role=Role.ADMIN),
    }


def _scheme(environment: Environment) -> str:
    return "https" if environment.edge_certificate else "http"


def _write(path: Path, values: dict[str, str]) -> None:
    """Write aside and rename: a start that is killed here leaves no half file."""
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    partial.rename(path)
