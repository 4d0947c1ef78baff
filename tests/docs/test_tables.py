"""Tables of the documentation say what the code says, row by row."""

import re
from pathlib import Path

import pytest

from controlplane.settings.environment import Environment
from examples.demo.story import BETTER, CHEAPER, PRESENT
from routing.access_log.results import Result
from routing.alerts.current import ON_EVERY_PAGE
from routing.protocols import PROTOCOLS
from routing.protocols.types import Protocol
from sluice import ExitCode
from sluice.commands.application import application
from tests.docs.pages import ROOT

GENERATED = "generated"


def rows(page: str, columns: int) -> dict[str, list[str]]:
    """The rows of all tables with so many columns, by what stands in backticks in the first."""
    lines = (ROOT / page).read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    return {row[0].split("`")[1]: row for row in cells if len(row) == columns}


BACKENDS = rows("docs/backends.md", 7)


def test_each_protocol_has_its_row() -> None:
    assert BACKENDS.keys() == PROTOCOLS.keys()


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=list(PROTOCOLS))
def test_a_protocol_is_as_its_row_says(protocol: Protocol) -> None:
    _, _, ready, plain, streamed, load, model = BACKENDS[protocol.key]
    assert ready.startswith(f"`{protocol.ready.question.path}`")
    assert ("one model" in ready) == (protocol.ready.of_model is not None)
    assert (plain == "–", streamed == "–") == (not protocol.plain, not protocol.streamed)
    assert (model == "–") == (not protocol.model_in_path)
    told = ("waiting", "running", "cache") if protocol.load else ()
    series = (protocol.load.waiting, protocol.load.running, protocol.load.cache_used) if protocol.load else ()
    assert {word for word in ("waiting", "running", "cache") if word in load} == {
        word for word, known in zip(told, series, strict=True) if known
    }
    ports = re.findall(r"port (\d+)", load)
    assert ports == ([str(protocol.load.port)] if protocol.load and protocol.load.port else [])


def test_settings_have_the_defaults_and_meanings_that_are_told() -> None:
    table = rows("docs/settings.md", 3)
    for name, field in Environment.model_fields.items():
        _, default, meaning = table[f"SLUICE_{name.upper()}"]
        assert meaning == field.description
        told = default.strip("`")
        bare = field.default.get_secret_value() if hasattr(field.default, "get_secret_value") else field.default
        known = GENERATED if name in {"secret_key", "unit_key"} else "" if bare == Path() else str(bare)
        assert told == known, name


def test_alerts_are_told_where_they_are_shown() -> None:
    source = (ROOT / "routing/alerts/current.py").read_text(encoding="utf-8")
    table = rows("docs/edges.md", 3)
    assert {code for code, row in table.items() if row[2] == "on every page"} == ON_EVERY_PAGE
    assert all(f'"{code}"' in source for code in table)
    assert set(re.findall(r'Alert\(\s*"([a-z-]+)"', source)) <= table.keys()


def test_commands_and_exit_codes_are_told() -> None:
    table = rows("docs/cli.md", 2)
    commands = {str(command.name) for command in application.registered_commands} | {"events import"}
    assert {name.split(" ")[0] if name != "events import FILE" else "events import" for name in table} == commands
    told = re.findall(r"^\| (\d+) \| ([a-z ,]+)", (ROOT / "docs/cli.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(code) for code, _ in told] == list(ExitCode)


def test_modules_of_the_statistics_are_there() -> None:
    told = (ROOT / "docs/statistics.md").read_text(encoding="utf-8").split("| module | need | reference |")[1]
    names = {name for line in told.splitlines() if line.startswith("| `") for name in re.findall(r"`([^`]+)`", line)}
    there = [
        f"/{path.relative_to(ROOT).with_suffix('').as_posix()}" for path in (ROOT / "experiments/stats").rglob("*")
    ]
    assert len(names) > 20
    assert {name for name in names if not any(path.endswith(f"/{name.rstrip('/')}") for path in there)} == set()


def test_the_demo_is_what_is_told_of_it() -> None:
    told = " ".join((ROOT / "examples/README.md").read_text(encoding="utf-8").split())
    assert f"{PRESENT.quality:.0%}".replace("%", " %") + " of its answers" in told
    assert f"right in {BETTER.quality:.0%}".replace("%", " %") in told
    assert f"fails {CHEAPER.error_rate / PRESENT.error_rate:.0f} times as often" in told
    assert round(CHEAPER.seconds / PRESENT.seconds, 2) == 1.67
    assert "two thirds longer" in told


def test_the_glossary_has_each_word_once_and_each_result() -> None:
    glossary = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\| \*\*([^*]+)\*\*", glossary, re.MULTILINE)
    assert sorted(words) == sorted(set(words))
    [row] = [line for line in glossary.splitlines() if line.startswith("| **result** |")]
    assert set(re.findall(r"\*([a-z-]+)\*", row.split("|")[2])) == set(Result)
