"""Which backends this edge can call with what lies on its machine; all else of a table is served all the same."""

from collections.abc import Container, Iterable
from dataclasses import replace
from pathlib import Path

from controlplane.problems.problem import Problem
from routing.edge.state.files import EdgeDirectory
from routing.guard import Cut
from routing.installed_envoy import certificate_authorities
from routing.table import Backend, Endpoint, Table, keeping_warm, reached


def read_secrets(directory: EdgeDirectory) -> dict[str, str]:
    """What backends are called with, by the names of the files; line ends at the end do not count.

    A file that holds anything but one line of text is none.
    """
    try:
        found = {path.name: _line(path) for path in directory.credentials.iterdir()}
    except OSError:
        return {}
    return {name: secret for name, secret in found.items() if secret}


def _line(path: Path) -> str:
    try:
        line = path.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        return ""
    return "" if any(ord(letter) < ord(" ") or letter == "\x7f" for letter in line) else line


def hindered(directory: EdgeDirectory, backends: Iterable[Backend]) -> dict[str, Problem]:
    """What keeps this edge from calling these backends, by their keys; those that it can call are not there."""
    secrets, authorities = read_secrets(directory), certificate_authorities()
    found: dict[str, Problem] = {}
    for backend in backends:
        if backend.addresses[0].lower().startswith("https:") and not authorities:
            found[backend.key] = _no_authorities(backend)
        elif backend.credential is not None and backend.credential.secret not in secrets:
            found[backend.key] = _no_credential(backend, directory.credentials / backend.credential.secret)
    return found


def callable_here(directory: EdgeDirectory, table: Table, before: Table) -> Table:
    """The table with those backends that cannot be called from here as they were before, where they could be."""
    out = hindered(directory, reached(table))
    sound = {backend.key: backend for backend in reached(before)}
    for key in hindered(directory, sound.values()):
        del sound[key]
    backends = (
        replace(sound[backend.key], fallback=backend.fallback)
        if backend.key in out and backend.key in sound
        else backend
        for backend in table.backends
    )
    return replace(table, backends=tuple(backends))


def hindered_arms(directory: EdgeDirectory, table: Table) -> tuple[Cut, ...]:
    """The candidates' arms whose backends cannot be called from here: their users get the endpoint's own."""
    out = hindered(directory, reached(table))
    return tuple(
        Cut(experiment.key, arm.variant, arm.guard_round)
        for endpoint in table.endpoints
        for experiment in endpoint.experiments
        for arm in experiment.arms[1:]
        if arm.backend in out
    )


def without_hindered_shadows(directory: EdgeDirectory, table: Table) -> Table:
    """The table without copies to backends that cannot be called from here; it names what it lacks."""
    out = hindered(directory, reached(table))
    shadows = [shadow for endpoint in table.endpoints for shadow in endpoint.shadows if shadow.backend in out]
    names = {f"{shadow.experiment}/{shadow.variant}" for shadow in shadows}
    endpoints = tuple(_without_shadows(endpoint, out) for endpoint in table.endpoints) if names else table.endpoints
    return replace(table, cut=tuple(sorted({*table.cut, *names})), endpoints=endpoints)


def _without_shadows(endpoint: Endpoint, out: Container[str]) -> Endpoint:
    kept = tuple(shadow for shadow in endpoint.shadows if shadow.backend not in out)
    return keeping_warm(replace(endpoint, shadows=kept), endpoint)


def _no_credential(backend: Backend, path: Path) -> Problem:
    return Problem(
        "credential-missing",
        "No credential",
        f"Backend {backend.key} is called with {path.name}, which this edge does not have as one line of text: it is "
        "called as before where it can be, and otherwise not at all.",
        f"Write it to {path} on the edge.",
    )


def _no_authorities(backend: Backend) -> Problem:
    return Problem(
        "certificate-authorities-missing",
        "No certificate authorities",
        f"This machine has none to check backend {backend.key} against, which uses https: it is called as before "
        "where it can be, and otherwise not at all.",
        "Install the system's CA certificates, or name a file of them in SSL_CERT_FILE.",
    )
