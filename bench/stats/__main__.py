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

from bench.stats.agreement import TOLERANCE, compare
from bench.stats.inputs import make, write

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / "var" / "bench"
PEERS = {"tea-tasting": "tea-tasting==1.14.0", "gbstats": "gbstats==0.8.0"}
OURS = ("sluice", "sluice, the whole judge")
REPEATS = {"tea-tasting": 15, "gbstats": 15}
WANTED = 10.0


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
    peer = min(middle[name] for name in PEERS)
    print(f"the faster of both takes {peer / middle['sluice']:.1f} times as long for the same work; wanted: {WANTED:g}")
    print(f"it takes {peer / middle['sluice, the whole judge']:.1f} times as long as the whole judge, which does more")
    print(f"furthest apart, in half widths: as published, and with ours by their definitions (wanted: {TOLERANCE:g})")
    agree = [compare(name, make(), turns[0]["sluice"]["rows"], turns[0][name]["rows"]) for name in PEERS]
    sys.exit(not (peer >= WANTED * middle["sluice"] and all(agree)))


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


if __name__ == "__main__":
    main()
