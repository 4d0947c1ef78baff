"""What an edge that starts late does before it takes traffic: it fetches the table that the others serve already.

`python -m routing.edge.table.catching_up <folder>`, while Envoy does not run.
"""

import sys
from pathlib import Path

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from controlplane.settings import get_environment
from controlplane.settings.logs import configure_logging
from routing.edge.envoy.callable_backends import callable_here
from routing.edge.envoy.configuration import as_served, read_table, write_configuration
from routing.edge.state.files import EdgeDirectory, keep_text
from routing.edge.state.kept_cuts import Cuts
from routing.publishing.envoy_validation import refusal
from routing.publishing.redis_table import current_table
from routing.table import Table, TableUnreadableError, problems, to_json

log = structlog.get_logger()

ANSWER_SECONDS = 1.0


def catch_up(directory: EdgeDirectory, redis_url: str) -> None:
    """Have Envoy start with the current table where that is newer than the last one that was served here.

    Where Redis does not answer, or the table cannot be served here, Envoy starts with what is on the disk, and users
    are served by that; the agent says what is wrong.
    """
    table = read_table(directory)
    try:
        newer = _newer_table(redis_url, table.version)
    except (RedisError, TableUnreadableError) as error:
        log.warning("envoy starts with the table on disk", reason=str(error))
        newer = None
    if newer is not None and not problems(newer) and not refusal(newer):
        table = callable_here(directory, newer, table)
        keep_text(directory.table, to_json(table))
    write_configuration(directory, as_served(directory, table, Cuts(directory.cuts)))
    log.info("envoy starts", table_version=table.version)


def _newer_table(redis_url: str, version: int) -> Table | None:
    patience = {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS}
    with Redis.from_url(redis_url, **patience, retry=Retry(NoBackoff(), retries=0)) as redis:
        told = current_table(redis)
        return told.read(version) if told.version > version else None


def main() -> None:
    """Bring the edge of the folder in the first argument up to date."""
    configure_logging("INFO")
    catch_up(EdgeDirectory(Path(sys.argv[1])), get_environment().redis_url)


if __name__ == "__main__":
    main()
