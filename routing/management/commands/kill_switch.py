"""`manage.py kill-switch on|off`: stops experiments or lets them run again, also while the web app is down."""

import getpass
import sys
from typing import Any

import redis
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from controlplane.audit.actors import Actor
from controlplane.models import Role
from controlplane.problems.errors import InvalidInput, RecordedLater, SluiceError
from controlplane.storage.redis_connections import get_redis
from routing.kill_switch.resume_experiments import resume_experiments
from routing.kill_switch.stop_experiments import stop_experiments
from routing.models import Endpoint
from routing.publishing import redis_table
from routing.publishing.confirmation import await_edges
from routing.publishing.newest_table import latest_table


class Command(BaseCommand):
    """Writes to the database and publishes by itself, with the rights of whoever may run it."""

    help = "Stop the experiments on one endpoint, or on all, or let them run again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which way, where and why."""
        parser.add_argument("turn", choices=("on", "off"), help="on: every user gets the default backend.")
        parser.add_argument("--endpoint", default="", metavar="KEY", help="Only this endpoint; all without it.")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="Stays in the audit trail.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Turn it and say whether edges know; exit code 1 when it was refused."""
        actor = Actor(f"{getpass.getuser()} on the command line", Role.ADMIN)
        act = stop_experiments if options["turn"] == "on" else resume_experiments
        try:
            act(_endpoint(options["endpoint"]), actor=actor, reason=options["reason"])
        except RecordedLater as error:
            self.stdout.write(f"{error.detail} {error.next_step}")
            return
        except SluiceError as error:
            self.stderr.write(f"{error.detail} {error.next_step}")
            sys.exit(1)
        where = options["endpoint"] or "all endpoints"
        self.stdout.write(f"The kill switch is {options['turn']} for {where}. {_published()}")


def _endpoint(key: str) -> Endpoint | None:
    """What cannot be looked up, because the database is away, is taken as it is said."""
    try:
        endpoint = Endpoint.objects.filter(key=key).first() if key else None
    except DatabaseError:
        return Endpoint(key=key)
    if key and endpoint is None:
        known = ", ".join(Endpoint.objects.values_list("key", flat=True)) or "none"
        raise InvalidInput("not-found", f"There is no endpoint called {key}.", next_step=f"Known are: {known}.")
    return endpoint


def _published() -> str:
    latest = latest_table()
    version = latest.version if latest else 0
    try:
        if redis_table.current_version(get_redis()) == version:
            confirmed = await_edges().sentence or "Edges apply it within a second."
            return f"Edges were told of routing table {version}. {confirmed}"
    except redis.RedisError:
        pass
    return f"Redis is away: edges get routing table {version} once it answers and the worker runs."
