"""What the parts of the agent tell the heartbeat."""

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(slots=True)
class EdgeStatus:
    """The state of one edge, as its parts last saw it. Each field has one writer, so no lock is needed."""

    served_version: int = 0
    served_since: datetime | None = None
    envoy_error: str = ""
    table_error: str = ""
    disk_error: str = ""
    spooled_bytes: int = 0
    loads: str = "{}"
    losses: str = "[]"
    compared_until: str = ""

    def note_served(self, version: int) -> bool:
        """Envoy serves this version; whether that is new."""
        self.envoy_error = ""
        if self.served_since is not None and version == self.served_version:
            return False
        self.served_version, self.served_since = version, datetime.now(UTC)
        return True
