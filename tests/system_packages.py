"""What a Python wheel cannot bring and the tests need: Chromium and PostgreSQL.

As root on Debian they are installed with apt; elsewhere this says exactly what to install.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

POSTGRESQL_FOLDERS = ("/usr/lib/postgresql", "/opt/homebrew/opt/postgresql", "/usr/local/opt/postgresql")


def find_postgresql(program: str) -> str | None:
    """Path of one of PostgreSQL's programs, also where Debian keeps it off the PATH."""
    found = shutil.which(program)
    if found is not None:
        return found
    candidates = [path for folder in POSTGRESQL_FOLDERS for path in Path(folder).glob(f"**/bin/{program}")]
    return str(max(candidates)) if candidates else None


def find_chromium() -> str | None:
    """Path of a Chromium or Chrome."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def missing_packages() -> list[str]:
    """Debian names of the packages that are not here yet."""
    packages = {
        "chromium": find_chromium(),
        "postgresql": find_postgresql("initdb") and find_postgresql("postgres"),
    }
    return [name for name, path in packages.items() if path is None]


def install(packages: list[str]) -> None:
    """Install Debian packages."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)


def main() -> int:
    """Exit code 0 once everything is here."""
    packages = missing_packages()
    if packages and os.geteuid() == 0 and shutil.which("apt-get"):
        sys.stdout.write(f"Installing {' and '.join(packages)} for the tests.\n")
        install(packages)
        packages = missing_packages()
    if packages:
        sys.stderr.write(f"The tests need {' and '.join(packages)}; install them with your system's packages.\n")
    return 1 if packages else 0


if __name__ == "__main__":
    sys.exit(main())
