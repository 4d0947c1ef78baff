"""Reads of routing: what the table should be, what was published, which edges live."""

from dataclasses import replace

from routing.models import RoutingTable
from routing.publishing.wanted_table import wanted_table
from routing.table import Table


def desired_table(version: int) -> Table:
    """The table that follows from the database as it is now; rows that are broken are left out."""
    return replace(wanted_table().table, version=version)


def latest_table() -> RoutingTable | None:
    """The newest published table."""
    return RoutingTable.objects.order_by("-version").first()
