"""`sluice events import`: a file goes in parts to a live Sluice, and its rows are taken by the process that does so."""

import subprocess
import sys
from pathlib import Path

import pytest

from sluice.imports import PART_BYTES
from tests.client.live import Command
from tests.visitors.website import ROOT, Website

pytestmark = pytest.mark.slow

ROW = "{number},thumbs_up,1,user-{number},2026-01-31T12:00:00Z,{note}\n"
IMPORTER = [sys.executable, "manage.py", "import_events", "--waiting"]


def test_a_file_of_several_parts_is_sent_and_its_rows_are_taken(
    website: Website, sluice: Command, tmp_path: Path
) -> None:
    file, note = tmp_path / "labels.csv", '"{""page"": ""' + "a" * 900 + '""}"'
    rows = [ROW.format(number=number, note=note) for number in range(PART_BYTES // 900)]
    file.write_text("id,name,value,unit,time,properties\n" + "".join(rows) + "x,NO NAME,1,ada,2026-01-31T12:00:00Z,\n")
    assert file.stat().st_size > PART_BYTES

    sending = sluice.begin("events", "import", str(file), "--json")
    subprocess.run(IMPORTER, cwd=ROOT, env=website.environment, check=True)
    out, err = sending.communicate()
    assert sending.returncode == 1, err
    assert f'"accepted": {len(rows)}' in out
    assert '"refused": 1' in out
