"""The folder of one edge, and writing to it so that nobody ever reads half a file."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from controlplane.storage.reserve import Reserve
from controlplane.storage.sockets import socket_directory
from routing.edge.state.memory import write_in_memory
from routing.envoy import Files
from routing.envoy.names import KEYS, LIMITS, TOKENS

log = structlog.get_logger()

RESERVE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class EdgeDirectory:
    """Where an edge keeps its files; Envoy reads `bootstrap` and what `for_envoy` names, and writes its log."""

    path: Path

    @property
    def bootstrap(self) -> Path:
        """Envoy's static configuration."""
        return self.path / "bootstrap.json"

    @property
    def clusters(self) -> Path:
        """Envoy's clusters."""
        return self.path / "clusters.json"

    @property
    def routes(self) -> Path:
        """Envoy's routes."""
        return self.path / "routes.json"

    @property
    def shadows(self) -> Path:
        """Envoy's routes of copies."""
        return self.path / "shadows.json"

    def gate(self, name: str) -> Path:
        """The configuration of one of the filters that say who may call."""
        return self.path / f"{name.removeprefix('sluice.')}.json"

    @property
    def table(self) -> Path:
        """The last routing table that Envoy was seen to serve."""
        return self.path / "table.json"

    @property
    def credentials(self) -> Path:
        """The folder with the secrets that backends are called with, a file each."""
        return self.path / "credentials"

    @property
    def cuts(self) -> Path:
        """The arms that this edge ejected."""
        return self.path / "cuts.json"

    @property
    def spool(self) -> Path:
        """The folder with the access log's segments, which hold raw unit ids."""
        return self.path / "spool"

    @property
    def access_log(self) -> Path:
        """The open segment, which Envoy appends to."""
        return self.spool / "open.jsonl"

    @property
    def admin(self) -> Path:
        """The socket of Envoy's admin interface."""
        return socket_directory(self.path) / "envoy.sock"

    def written_at_starts(self) -> tuple[Path, ...]:
        """What Envoy reads and each of its starts finds written anew."""
        return (self.clusters, self.routes, self.shadows, *map(self.gate, (TOKENS, KEYS, LIMITS)))

    def for_envoy(self) -> Files:
        """The paths that Envoy's static configuration names."""
        return Files(
            clusters=str(self.clusters),
            routes=str(self.routes),
            shadows=str(self.shadows),
            tokens=str(self.gate(TOKENS)),
            keys=str(self.gate(KEYS)),
            limits=str(self.gate(LIMITS)),
            access_log=str(self.access_log),
            admin=str(self.admin),
        )


def write_json(path: Path, content: Any, *, durable: bool = True) -> None:
    """Replace a file by JSON, in one step."""
    write_text(path, json.dumps(content), durable=durable)


def write_text(path: Path, content: str, *, durable: bool = True) -> None:
    """Replace a file in one step, readable by its owner alone, and return once it is on the disk.

    What is not `durable` may be gone after a power cut, is there for everybody at once, and waits for no disk: it lies
    in memory where it can. Raises `OSError` when the disk is full.
    """
    if not durable and write_in_memory(path, content):
        return
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.touch(mode=0o600)
        with partial.open("w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        partial.rename(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def keep_text(path: Path, content: str) -> None:
    """Replace a durable file; where the disk is full and the reserve is used up, have a newer one beside it in memory.

    It outlives this process, and the machine as well once the disk takes it again.
    """
    newer = _newer(path)
    try:
        _write_with_reserve(path, content)
    except OSError as error:
        kept = write_in_memory(newer, content)
        log.error("kept in memory alone" if kept else "not kept", file=path.name, reason=str(error))
    else:
        newer.unlink(missing_ok=True)


def kept_text(path: Path) -> str:
    """What was last kept. Raises `FileNotFoundError` when nothing was."""
    try:
        return _newer(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return path.read_text(encoding="utf-8")


def _newer(path: Path) -> Path:
    return path.with_name(f"{path.name}.newer")


def _write_with_reserve(path: Path, content: str) -> None:
    try:
        write_text(path, content)
    except OSError:
        if not reserve(path.parent).release():
            raise
        write_text(path, content)


def reserve(edge: Path) -> Reserve:
    """What an edge sets aside of its disk, for its last table."""
    return Reserve(edge / "reserve", RESERVE_BYTES)
