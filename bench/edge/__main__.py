"""What the edge costs beside others: `python -m bench.edge [--minutes 10] [--without LiteLLM]`.

Sluice, Envoy without splits, LiteLLM and nginx stand between the same client and the same backend, and each is asked
in turn, in many short rounds, so that all meet the same machine: the ratios are worth more than the numbers. Whatever
else the machine does makes rounds dearer and none cheaper, so that of each proxy's rounds the cheapest quarter counts.
All proxies and the backend share the first core; the client has the last one for itself. Ends with 1 when a target is
missed.
"""

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

from bench.edge.load import Request, measure
from bench.edge.processes import cpu_seconds, keep_client_apart, resident_bytes, run_model
from bench.edge.proxies import DIRECT, ENVOY, PEER, SLUICE, Proxy, run_proxies
from bench.edge.streams import TOKENS, Streams, measure_streams

REQUEST = Request("/v1/chat/completions", user_in_body=True)
USERS = 8
STREAM_ROUNDS = 3
STREAMS_IN_A_ROW = 2
MEGABYTE = 1 << 20

LEAST_BELOW_PEER = 80.0
MOST_ABOVE_ENVOY = 1.3
MOST_ADDED_FIRST_TOKEN = 0.002


@dataclass
class Found:
    """What was seen of one proxy, in seconds and bytes."""

    taken: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    client_busy: list[float] = field(default_factory=list)
    at_start: int = 0
    after: int = 0
    served: int = 0
    streams: Streams = field(default_factory=Streams)
    held_back: list[int] = field(default_factory=list)
    token_cpu: list[float] = field(default_factory=list)

    @property
    def request_cpu(self) -> float:
        """CPU a request where the machine was calm: the lower quartile of all rounds."""
        return sorted(self.cpu)[len(self.cpu) // 4]


def main() -> None:
    """Measure all, print the tables, say what missed its target."""
    options = _options()
    with (
        tempfile.TemporaryDirectory() as folder,
        run_model("model") as backend,
        run_proxies(Path(folder), backend, without=set(options.without)) as proxies,
    ):
        found = _measure_all(proxies, options)
    _print_requests(found, options)
    _print_streams(found, options.streams)
    sys.exit(not all(_verdicts(found)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.edge")
    parser.add_argument("--rounds", type=int, default=24, help="how often each is asked in turn")
    parser.add_argument("--seconds", type=float, default=0.3, help="how long each time")
    parser.add_argument("--minutes", type=float, default=0.25, help="traffic on each before its memory is read again")
    parser.add_argument("--streams", type=int, default=200, help="streams at once")
    parser.add_argument("--without", nargs="*", default=[], help="proxies that are left out, by their names")
    return parser.parse_args()


def _measure_all(proxies: list[Proxy], options: argparse.Namespace) -> dict[str, Found]:
    keep_client_apart()
    found = {proxy.name: Found() for proxy in proxies}
    for proxy in proxies:
        measure(proxy.port, REQUEST, 1, 0.2)
        found[proxy.name].at_start = _resident(proxy)
    for _ in range(options.rounds):
        for proxy in proxies:
            _measure_round(found[proxy.name], proxy, options.seconds)
    for _ in range(STREAM_ROUNDS):
        for proxy in proxies:
            _measure_streams(found[proxy.name], proxy, options.streams)
    for proxy in proxies:
        if proxy.process is not None:
            found[proxy.name].served = len(measure(proxy.port, REQUEST, USERS, 60.0 * options.minutes))
            found[proxy.name].after = _resident(proxy)
    return found


def _resident(proxy: Proxy) -> int:
    return 0 if proxy.process is None else resident_bytes(proxy.process)


def _cpu(proxy: Proxy) -> float:
    return 0.0 if proxy.process is None else cpu_seconds(proxy.process)


def _measure_round(found: Found, proxy: Proxy, seconds: float) -> None:
    """One user for the time that it takes, then several for what it costs."""
    found.taken += measure(proxy.port, REQUEST, 1, seconds)
    before, own, began = _cpu(proxy), time.process_time(), time.perf_counter()
    answers = len(measure(proxy.port, REQUEST, USERS, seconds))
    found.cpu.append((_cpu(proxy) - before) / answers)
    found.client_busy.append((time.process_time() - own) / (time.perf_counter() - began))


def _measure_streams(found: Found, proxy: Proxy, users: int) -> None:
    before = _cpu(proxy)
    try:
        seen = measure_streams(proxy.port, users, STREAMS_IN_A_ROW)
    except TimeoutError:
        found.streams.lost += users * STREAMS_IN_A_ROW * TOKENS
        return
    found.token_cpu.append((_cpu(proxy) - before) / (users * STREAMS_IN_A_ROW * TOKENS))
    found.streams.add(seen)
    found.held_back.append(seen.held_back)


def _print_requests(found: dict[str, Found], options: argparse.Namespace) -> None:
    print(
        f"\nOne chat request of 900 bytes: latency with one user, CPU with {USERS}, the lower quartile of"
        f" {options.rounds} rounds on {os.cpu_count()} cores; every proxy but nginx reads model, user and tokens from"
        " the bodies.\n"
    )
    print(f"{'':18}{'CPU a':>10}{'requests/s':>12}{'':>8}{'added latency':>20}{'resident memory':>22}{'client':>9}")
    after = f"{options.minutes:g} min"
    print(
        f"{'':18}{'request':>10}{'a core':>12}{'to ours':>8}{'p50':>10}{'p99':>10}{'start':>11}{after:>11}{'busy':>9}"
    )
    for name, each in found.items():
        print(_request_line(name, each, found))


def _request_line(name: str, each: Found, found: dict[str, Found]) -> str:
    here, direct = quantiles(each.taken, n=100), quantiles(found[DIRECT].taken, n=100)
    busy = f"{median(each.client_busy):9.0%}"
    if name == DIRECT:
        times = f"{here[49] * 1e6:7.0f} µs{here[98] * 1e6:7.0f} µs"
        return f"{name:18}{'':30}{times}{'':22}{busy}   (itself, nothing added)"
    cpu = each.request_cpu
    added = f"{(here[49] - direct[49]) * 1e6:7.0f} µs{(here[98] - direct[98]) * 1e6:7.0f} µs"
    memory = f"{each.at_start / MEGABYTE:8.0f} MB{each.after / MEGABYTE:8.0f} MB"
    ratio = f"{_to_ours(found, name):8.2f}" if SLUICE in found else f"{'':8}"
    return f"{name:18}{cpu * 1e6:7.1f} µs{1 / cpu:12.0f}{ratio}{added}{memory}{busy}   after {each.served} requests"


def _to_ours(found: dict[str, Found], name: str) -> float:
    """Its CPU time to Sluice's, both of calm rounds."""
    return found[name].request_cpu / found[SLUICE].request_cpu


def _print_streams(found: dict[str, Found], users: int) -> None:
    print(f"\n{users} streams at once of {TOKENS} tokens, one every 20 ms.\n")
    print(f"{'':18}{'CPU a':>10}{'first token':>22}{'a token on its way':>22}{'tokens':>10}{'held':>8}{'lost':>8}")
    print(f"{'':18}{'token':>10}{'p50':>11}{'p99':>11}{'p50':>11}{'p99':>11}{'seen':>10}{'back':>8}{'':>8}")
    for name, each in found.items():
        seen = each.streams
        if not seen.first_token:
            print(f"{name:18} gave no stream whole in time; {seen.lost} tokens were asked for")
            continue
        first, way = quantiles(seen.first_token, n=100), quantiles(seen.on_the_way, n=100)
        cpu = f"{median(each.token_cpu) * 1e6:7.1f} µs"
        times = "".join(f"{value * 1e3:8.2f} ms" for value in (first[49], first[98], way[49], way[98]))
        print(f"{name:18}{cpu}{times}{len(seen.on_the_way):10}{seen.held_back:8}{seen.lost:8}")


def _verdicts(found: dict[str, Found]) -> list[bool]:
    """Each target, said and judged; those of a proxy that was left out are not."""
    print()
    kept = []
    if SLUICE in found and PEER in found:
        ratio = _to_ours(found, PEER)
        kept.append(_say(ratio >= LEAST_BELOW_PEER, f"LiteLLM takes {ratio:.0f} times our CPU", "at least 80"))
    if SLUICE in found and ENVOY in found:
        ratio = 1 / _to_ours(found, ENVOY)
        kept.append(_say(ratio <= MOST_ABOVE_ENVOY, f"we take {ratio:.2f} times plain Envoy's CPU", "at most 1.3"))
    if SLUICE in found:
        ours, direct = found[SLUICE].streams, found[DIRECT].streams
        added = median(ours.first_token) - median(direct.first_token)
        said = f"we add {added * 1e3:.2f} ms to the first token at the median"
        kept.append(_say(added <= MOST_ADDED_FIRST_TOKEN, said, "at most 2 ms"))
        kept.append(_say(ours.lost == 0, f"we lost {ours.lost} tokens", "none"))
        held, without = min(found[SLUICE].held_back), min(found[DIRECT].held_back)
        said = f"we held {held} tokens back in the calmest round, without us {without} were"
        kept.append(_say(held <= without, said, "no more than without"))
    return kept


def _say(kept: bool, what: str, wanted: str) -> bool:
    print(f"{'met   ' if kept else 'MISSED'} {what}; wanted: {wanted}")
    return kept


if __name__ == "__main__":
    main()
