"""CPU time of 100 metrics x 4 variants beside tea-tasting and gbstats: `python -m bench.stats`.

Both come from the package index, each into an environment of its own under var/bench. Ends with 1 if the numbers
differ, or if the faster of both needs less than ten times as long for the same work.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

from bench.stats.inputs import KINDS, METRICS, VARIANTS, write

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / "var" / "bench"
PEERS = {"tea-tasting": "tea-tasting==1.14.0", "gbstats": "gbstats==0.8.0"}
OURS = ("sluice", "sluice, the whole judge")
REPEATS = {"tea-tasting": 15, "gbstats": 15}
WANTED = 10.0
TOLERANCE = 1e-6
KNOWN = {
    # A share's variance over n - 1 instead of n: sqrt(5000 / 4999).
    ("tea-tasting", "proportion"): 1.1e-4,
    # Ours counts the units that requests effectively come from, about 2800 of 5000 here, and not all of them.
    ("tea-tasting", "ratio"): 2.5e-4,
    ("gbstats", "ratio"): 2.5e-4,
}
"""Where definitions differ on purpose."""


def main() -> None:
    """Run each library in turn, thrice, and compare."""
    pythons = dict.fromkeys(OURS, sys.executable) | {
        name: python_with(name, package) for name, package in PEERS.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.json"
        write(path)
        turns = [{name: run(name, python, path) for name, python in pythons.items()} for _ in range(3)]
    best = {name: min(min(turn[name]["seconds"]) for turn in turns) for name in pythons}
    middle = {name: statistics.median(s for turn in turns for s in turn[name]["seconds"]) for name in pythons}
    print("CPU milliseconds of one analysis of 100 metrics x 4 variants    fastest   median")
    for name in pythons:
        print(f"  {name:58} {1e3 * best[name]:8.2f} {1e3 * middle[name]:8.2f}")
    ratio = min(middle[name] for name in PEERS) / middle["sluice"]
    print(f"the faster of both takes {ratio:.1f} times as long for the same work; wanted: {WANTED:g}")
    agree = [compare(name, turns[0]["sluice"]["rows"], turns[0][name]["rows"]) for name in PEERS]
    sys.exit(not (ratio >= WANTED and all(agree)))


def python_with(name: str, package: str) -> str:
    """The interpreter of an environment that has the package, made on first use."""
    folder = ENVIRONMENTS / name
    python = folder / "bin" / "python"
    if not (folder / package).exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", package], check=True)
        (folder / package).touch()
    return str(python)


def run(name: str, python: str, path: Path) -> dict[str, Any]:
    """One turn of a library in a process of its own, on one thread."""
    command = [python, str(Path(__file__).with_name("worker.py")), name, str(path), str(REPEATS.get(name, 100))]
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    environment = {**os.environ, **threads, **({"PYTHONPATH": str(ROOT)} if name in OURS else {})}
    found = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    answer: dict[str, Any] = json.loads(found.stdout)
    return answer


def compare(name: str, ours: list[list[float]], theirs: list[list[float]]) -> bool:
    """Print, for each kind of metric, how far apart the numbers are in half widths of their intervals."""
    agrees = len(ours) == len(theirs) == METRICS * (len(VARIANTS) - 1)
    for place, kind in enumerate(KINDS):
        pairs = [pair for n, pair in enumerate(zip(ours, theirs, strict=True)) if n // 3 % 3 == place]
        furthest = max(apart(mine, other) for mine, other in pairs)
        allowed = KNOWN.get((name, kind), TOLERANCE)
        agrees &= furthest <= allowed
        print(f"{name}, {kind}: apart by at most {furthest:.1e} of an interval's half width, {allowed:.0e} allowed")
    return agrees


def apart(mine: list[float], other: list[float]) -> float:
    """Largest difference of effect and ends of the interval, in half widths."""
    half = (mine[2] - mine[1]) / 2.0
    return max(abs(a - b) for a, b in zip(mine, other, strict=True)) / half


if __name__ == "__main__":
    main()
