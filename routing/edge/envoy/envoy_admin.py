"""What the agent asks of the Envoy beside it."""

import json
from dataclasses import dataclass
from pathlib import Path

from routing.access_log.counts import Counted, read_counted
from routing.edge.envoy.calls import EnvoyAwayError, port_line, socket_line
from routing.envoy import GATES, ROUTES, STATISTICS_PREFIX, TABLE_PATH

EVERY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, never listened on
CLUSTERS = "cluster_manager.cds"
ROUTE_TABLE = f"http.{STATISTICS_PREFIX}.rds.{ROUTES}"
GATE = "extension_config_discovery.http_filter"
WARMING = "cluster_manager.warming_clusters"
COUNTS = "^(sluice.rows.|filesystem.write_failed$)"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What Envoy made of the files.

    `clusters_ready_at` is the version of the clusters, or None while some of them are not ready yet; `refusals`
    counts how often Envoy could not read or use a file since its start.
    """

    clusters_ready_at: str | None
    refusals: int


@dataclass(frozen=True, slots=True)
class Served:
    """The version of the table that Envoy serves, and the arms that it serves it without."""

    version: int
    cut: tuple[str, ...] = ()


class EnvoyAdmin:
    """One Envoy on this machine, by its port for users and the socket of its admin interface."""

    def __init__(self, host: str, port: int, admin: Path, *, secure: bool = False) -> None:
        self._port = port
        self._user_side = port_line("127.0.0.1" if host in EVERY_ADDRESS else host, port, secure=secure)
        self._admin_side = socket_line(admin)

    def served(self) -> Served:
        """The routing table that users' requests meet.

        Raises:
            EnvoyAwayError: it does not answer.

        """
        answer = self._user_side.call("GET", TABLE_PATH)
        try:
            content = json.loads(answer)
            return Served(int(content["version"]), tuple(content.get("cut", ())))
        except (ValueError, KeyError, TypeError) as error:
            raise EnvoyAwayError(f"Another server answers on port {self._port}.") from error

    def loaded(self) -> Loaded:
        """Which files Envoy has taken, by its own statistics.

        Raises:
            EnvoyAwayError: it does not answer.

        """
        wanted = f"^(({CLUSTERS}|{ROUTE_TABLE}).(version_text|update_rejected|update_failure)|{WARMING})$"
        lines = self._admin_side.call("GET", f"/stats?filter={wanted}").splitlines()
        values = dict(line.split(": ", 1) for line in lines if ": " in line)
        version = values.get(f"{CLUSTERS}.version_text", "").strip('"')
        return Loaded(
            clusters_ready_at=version if values.get(WARMING) == "0" else None,
            refusals=sum(
                int(values.get(f"{kind}.{count}", 0))
                for kind in (CLUSTERS, ROUTE_TABLE)
                for count in ("update_rejected", "update_failure")
            ),
        )

    def gate(self) -> dict[str, str]:
        """The versions of the filters that say who may call, by filter.

        Raises:
            EnvoyAwayError: it does not answer.

        """
        lines = self._admin_side.call("GET", f"/stats?filter=^{GATE}.*version_text$").splitlines()
        values = dict(line.split(": ", 1) for line in lines if ": " in line)
        return {name: values.get(f"{GATE}.{name}.version_text", "").strip('"') for name in GATES}

    def counted(self) -> Counted:
        """What Envoy has logged since its start.

        Raises:
            EnvoyAwayError: it does not answer.

        """
        return read_counted(self._admin_side.call("GET", f"/stats?filter={COUNTS}").splitlines())

    def reopen_log(self) -> None:
        """Have the access log's path opened anew.

        Raises:
            EnvoyAwayError: it does not answer.

        """
        self._admin_side.call("POST", "/reopen_logs")
