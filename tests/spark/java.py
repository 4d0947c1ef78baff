"""What a Python wheel cannot bring and Spark needs: a Java runtime.

As root on Debian it is installed with apt; elsewhere this says exactly what to install.
"""

import os
import re
import shutil
import subprocess
import sys

from tests.system_packages import install

OLDEST = 17
PACKAGES = ("openjdk-17-jre-headless", "openjdk-21-jre-headless", "default-jre-headless")
"""Debian's names for it, of which a release has one or two."""


def java_version() -> int:
    """The major version of Java that Spark finds; 0 without one."""
    home = os.environ.get("JAVA_HOME")
    java = f"{home}/bin/java" if home else shutil.which("java")
    if java is None or shutil.which(java) is None:
        return 0
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', told)
    return int(found[1]) if found else 0


def main() -> int:
    """Exit code 0 once it is here."""
    if java_version() < OLDEST and os.geteuid() == 0 and shutil.which("apt-get"):
        sys.stdout.write("Installing a Java runtime for Spark.\n")
        _install_first()
    if java_version() >= OLDEST:
        return 0
    sys.stderr.write(
        f"Spark needs a Java runtime, version {OLDEST} or newer: install openjdk-17-jre-headless (Debian, Ubuntu), "
        "java-17-openjdk-headless (Fedora) or openjdk@17 (Homebrew), or name its folder by JAVA_HOME.\n"
    )
    return 1


def _install_first() -> None:
    for package in PACKAGES:
        try:
            install([package])
        except subprocess.CalledProcessError:
            continue
        return


if __name__ == "__main__":
    sys.exit(main())
