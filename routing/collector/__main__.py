"""The collector process: `python -m routing.collector`."""

import signal
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from datetime import timedelta
from threading import Event

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from controlplane.settings import Environment, get_environment
from controlplane.settings.logs import configure_logging
from routing.collector.caretaker import Caretaker
from routing.collector.collector import Collector
from routing.lake.schema import OUTCOMES, REQUESTS, LakeTable
from routing.lake.tidying import Retention

ANSWER_SECONDS = 10.0

log = structlog.get_logger()


def main() -> None:
    """Collect until told to stop; each table on a thread of its own, and their care on one, so that none waits."""
    environment = get_environment()
    configure_logging(environment.log_level)
    redis = Redis.from_url(environment.redis_url, socket_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), retries=0))
    stop = _stop_on_signals()
    log.info("collector started", lake=environment.lake_url, seconds=environment.collector_seconds)
    with ThreadPoolExecutor() as threads:
        running = [
            threads.submit(Collector(redis, environment.lake_url, table).run, environment.collector_seconds, stop)
            for table in (REQUESTS, OUTCOMES)
        ]
        caretaker = Caretaker(redis, environment.lake_url, retention(environment))
        running.append(threads.submit(caretaker.run, stop))
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        stop.set()
    for ended in done:
        ended.result()
    log.info("collector stopped")


def retention(environment: Environment) -> dict[LakeTable, Retention]:
    """How long each table keeps what."""
    history = timedelta(hours=environment.lake_history_hours)
    days = {REQUESTS: environment.requests_days, OUTCOMES: environment.outcomes_days}
    return {table: Retention(history, kept) for table, kept in days.items()}


def _stop_on_signals() -> Event:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    main()
