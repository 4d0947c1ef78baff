"""Each bench runs to its end, at a tiny size; what it finds there says nothing, so no target is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.stats import worker
from bench.stats.inputs import write

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TINY = {
    "bench.edge --rounds 2 --seconds 0.5 --minutes 0.002 --streams 2 --without LiteLLM": "met",
    "bench.edge.features --rounds 1 --seconds 0.5": "tokens from streams",
    "bench.assignment --units 400 --slice 100": "the first one, restarted",
    "bench.publish --changes 2 --rate 50": "routes and backends change",
    "bench.analysis --requests 200 400 --new 40 --experiments 2": "experiments take",
    "bench.pipeline --minutes 0.03 --rate 500": "rows came",
    "bench.pages --experiments 4 --rounds 2": "with a new analysis",
    "bench.evidence --requests 500 --units 50": "another experiment, nothing found",
}
"""What to run, and what its last part prints."""


@pytest.mark.parametrize("arguments", TINY, ids=lambda arguments: arguments.partition(" ")[0])
def test_a_bench_runs_to_its_end(arguments: str) -> None:
    found = subprocess.run(
        [sys.executable, "-m", *arguments.split()], cwd=ROOT, capture_output=True, text=True, check=False
    )

    # A bench ends with 1 where it missed a target, and so does Python where it raised.
    assert "Traceback" not in found.stderr, found.stderr
    assert found.returncode in (0, 1), found.stderr
    assert TINY[arguments] in found.stdout, found.stdout


def test_the_program_that_times_the_judge_runs(tmp_path: Path) -> None:
    write(tmp_path / "metrics.json")
    command = [sys.executable, worker.__file__, "sluice, the whole judge", str(tmp_path / "metrics.json"), "1"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert '"seconds"' in found.stdout


def test_pictures_are_drawn(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.pictures", "--runs", "10", "--into", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)

    drawn = {path.name for path in (ROOT / "docs" / "pictures").iterdir()}
    assert {path.name for path in tmp_path.iterdir()} == drawn
