"""`make demo`: two live canaries, one good and one bad."""

import argparse
import asyncio
import signal
import sys
import time
from dataclasses import dataclass
from typing import Any

import httpx

from examples.demo.models import counts, run_models
from examples.demo.sluice import NotRunning, Sluice, read_credentials
from examples.demo.story import MODELS, set_up
from examples.demo.traffic import Crowd, Report, Traffic

ENDED = ("promoted", "halted", "inconclusive")
WATCH_SECONDS = 1.0


@dataclass(slots=True)
class Watched:
    """One experiment and what was last said of it."""

    key: str
    state: str = ""
    said: tuple[object, ...] = ()


def main() -> int:
    """Exit code 0; with --exit-when-done only if the good one was promoted and the bad one halted; 2 without Sluice."""
    parser = argparse.ArgumentParser(description="Two live canaries on a running Sluice.")
    parser.add_argument("--users", type=int, default=6000)
    parser.add_argument("--rate", type=float, default=120.0, help="requests a second of all users together")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds to wait for both verdicts")
    parser.add_argument("--exit-when-done", action="store_true")
    options = parser.parse_args()
    try:
        credentials = read_credentials()
        with Sluice(credentials["SLUICE_URL"], credentials["SLUICE_TOKEN"]) as sluice:
            sluice.check()
            return _run(sluice, credentials, options)
    except NotRunning as problem:
        print(problem, file=sys.stderr)
        return 2


def _run(sluice: Sluice, credentials: dict[str, str], options: argparse.Namespace) -> int:
    print(f"Starting {len(MODELS)} model servers.", flush=True)
    with run_models(MODELS) as ports:
        good, bad = set_up(sluice, ports)
        for key in (good, bad):
            print(f"  {sluice.url}/experiments/{key}", flush=True)
        print(f"{options.users} users send {options.rate:g} requests a second. Ctrl-C ends the demo.", flush=True)
        report = Report()
        as_hoped = asyncio.run(_live(sluice, credentials, options, (good, bad), report))
        _summarise(report, {key: counts(port) for key, port in ports.items()})
    return 0 if as_hoped or not options.exit_when_done else 1


async def _live(
    sluice: Sluice, credentials: dict[str, str], options: argparse.Namespace, keys: tuple[str, str], report: Report
) -> bool:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    headers = {"Authorization": f"Bearer {credentials['SLUICE_TOKEN']}"}
    crowd = Crowd(options.users, options.rate)
    async with httpx.AsyncClient(base_url=sluice.url, headers=headers, timeout=10) as api:
        traffic = Traffic(credentials["SLUICE_EDGE_URL"], "/v1/chat/completions", crowd, api, report)
        users = asyncio.create_task(traffic.run(stop))
        watched = [Watched(key) for key in keys]
        await _watch(sluice, watched, stop, options.timeout)
        if options.exit_when_done:
            stop.set()
        elif not stop.is_set():
            print("Both have ended; users go on until Ctrl-C.", flush=True)
        await users
    return [one.state for one in watched] == ["promoted", "halted"]


async def _watch(sluice: Sluice, watched: list[Watched], stop: asyncio.Event, timeout: float) -> None:
    """Say whenever an experiment's state or stage changes, until all have ended or time is over."""
    began = time.monotonic()
    while not stop.is_set() and time.monotonic() - began < timeout:
        for one in watched:
            _tell(one, await asyncio.to_thread(sluice.call, "GET", f"experiments/{one.key}"), time.monotonic() - began)
        if all(one.state in ENDED for one in watched):
            return
        await asyncio.sleep(WATCH_SECONDS)


def _tell(one: Watched, experiment: dict[str, Any], seconds: float) -> None:
    stage = experiment["stage"]
    now = (experiment["state"], stage and stage["number"])
    if now != one.said:
        print(f"[{seconds:4.0f} s] {one.key}: stage {now[1]}, {experiment['verdict']}", flush=True)
    one.state, one.said = experiment["state"], now


def _summarise(report: Report, backends: dict[str, dict[str, int]]) -> None:
    deliberate = sum(counted["deliberate_errors"] for counted in backends.values())
    print(f"Users got {report.total_answered} answers: {dict(sorted(report.answered.items()))}.")
    print(f"The model servers failed {deliberate} requests on purpose.")
    print(f"Failed because of Sluice: {report.failures_of_sluice}; broken connections: {report.broken_connections}.")
    print(f"Feedback sent: {report.feedback_sent}.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
