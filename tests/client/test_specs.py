"""`sluice plan`, `apply` and `export` against a live Sluice."""

from pathlib import Path

import pytest

from tests.client.live import Command

pytestmark = pytest.mark.slow

FILE = """\
# Ours.
backends:
  - key: described
    name: Described
    addresses: [http://10.0.0.9:8000]  # rented
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "sluice.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_a_file_is_planned_applied_and_brought_up_to_date(sluice: Command, file: Path) -> None:
    planned = sluice.run("plan", str(file), "--detailed-exitcode")
    assert (planned.code, planned.out.splitlines()[0]) == (10, "+ backend described")
    assert '    addresses: ["http://10.0.0.9:8000"]' in planned.out
    assert planned.out.endswith("1 new.\n")
    assert sluice.run("plan", str(file)).code == 0

    assert sluice.run("apply", str(file), "--detailed-exitcode").code == 10
    again = sluice.run("apply", str(file), "--detailed-exitcode", "--json")
    assert (again.code, again.json["changed"], again.json["changes"][0]["action"]) == (0, False, "none")

    renamed = sluice.run("apply", "-", typed="backends: [{key: described, name: Renamed}]")
    assert (renamed.code, renamed.out) == (0, '~ backend described\n    name: "Described" -> "Renamed"\n1 changed.\n')
    assert sluice.run("export", str(file)).code == 0
    assert file.read_text(encoding="utf-8") == FILE.replace("Described", "Renamed")
    assert sluice.run("apply", str(file)).out == "Nothing changed.\n"


def test_an_export_is_applied_without_a_change(sluice: Command, tmp_path: Path) -> None:
    everything = tmp_path / "all.yaml"
    assert sluice.run("export", str(everything)).code == 0
    assert sluice.run("plan", str(everything), "--detailed-exitcode").code == 0
    one = sluice.run("export", "--only", "experiments/slow")
    assert one.out.startswith("experiments:\n  - key: slow\n")
    assert sluice.run("plan", "-", "--detailed-exitcode", typed=one.out).code == 0


def test_what_is_wrong_is_said_with_line_and_column(sluice: Command, file: Path) -> None:
    file.write_text(FILE.replace("addresses:", "adresses:").replace("name:", "nam:"), encoding="utf-8")
    ran = sluice.run("apply", str(file))
    assert (ran.code, ran.out) == (4, "")
    assert f"{file}: Line 4, column 5: backends.0.nam: There is no such field; did you mean `name`?" in ran.err
    assert "line 5, column 5: backends.0.adresses: There is no such field; did you mean `addresses`?" in ran.err
    told = sluice.run("plan", str(file), "--json")
    assert [(each["line"], each["column"]) for each in told.json["problems"]] == [(4, 5), (5, 5)]
    assert told.json["problems"][0]["allowed"].startswith("one of key, name,")
    assert told.json["exit_code"] == 4


@pytest.mark.parametrize("verb", ["plan", "apply"])
def test_a_file_that_is_not_there_is_wrong_use(sluice: Command, verb: str) -> None:
    ran = sluice.run(verb, "/nowhere/sluice.yaml", "--json")
    assert (ran.code, ran.json["code"]) == (4, "file-unreadable")
