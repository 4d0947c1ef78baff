"""Live users in the background of a test."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from examples.demo.traffic import Crowd, Report, Traffic
from tests.loop.installation import Installation


@contextmanager
def live_users(installation: Installation, crowd: Crowd) -> Iterator[Report]:
    """Users who chat and send feedback until the block ends; all their answers have come when it does."""
    report = Report()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(_run(installation, crowd, report, stop),))
    thread.start()
    try:
        yield report
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


async def _run(installation: Installation, crowd: Crowd, report: Report, stop: asyncio.Event) -> None:
    headers = {"Authorization": f"Bearer {installation.credentials['SLUICE_TOKEN']}"}
    async with httpx.AsyncClient(base_url=installation.credentials["SLUICE_URL"], headers=headers) as api:
        await Traffic(installation.edge_url, "/v1/chat/completions", crowd, api, report).run(stop)
