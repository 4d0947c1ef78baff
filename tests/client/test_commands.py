"""The command against a live Sluice: what it does, what it prints, and what it ends with."""

import re
import stat
from pathlib import Path

import pytest

from tests.client.live import Command, command_at
from tests.servers.processes import free_port

pytestmark = pytest.mark.slow

ESCAPE = "\x1b"


def test_an_experiment_is_started_and_its_gate_is_undecided(sluice: Command) -> None:
    assert sluice.run("start", "waiting", "--reason", "all tests are green").code == 0
    gate = sluice.run("gate", "waiting")
    assert gate.code == 3
    assert gate.out.startswith("waiting: undecided\nStage 1 of 2")


def test_a_promotion_ends_with_nothing_and_a_halt_with_one(sluice: Command) -> None:
    assert sluice.run("promote", "good", "--reason", "better on every metric").code == 0
    promoted = sluice.run("gate", "good", "--json")
    assert (promoted.code, promoted.json["outcome"], promoted.json["exit_code"]) == (0, "promoted", 0)
    assert "better on every metric" in promoted.json["sentence"]

    halted = sluice.run("halt", "bad", "--reason", "it answers in verse", "--json")
    assert (halted.code, halted.json["experiment"]["state"]) == (0, "halted")
    assert sluice.run("gate", "bad", "--wait", "55").code == 1


def test_status_lists_all_or_tells_of_one(sluice: Command) -> None:
    listed = sluice.run("status", NO_COLOR="1", FORCE_COLOR="1")
    assert {"waiting", "good", "bad", "slow"} <= set(re.findall(r"^(\w+) ", listed.out, re.MULTILINE))
    assert ESCAPE not in re.sub(r"\x1b\[[0-3]?m", "", listed.out)
    assert {each["key"] for each in sluice.run("status", "--json").json} >= {"waiting", "slow"}
    assert "Stage 1 of 2" in sluice.run("status", "slow").out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("frobnicate",), "wrong-use"),
        (("halt", "slow"), "wrong-use"),
        (("gate", "slow", "--wait", "soon"), "wrong-use"),
        (("gate", "slow", "--wait", "56"), "wrong-use"),
        (("wait", "slow", "--timeout", "5 fortnights"), "wrong-use"),
        (("wait", "slow", "--junit", "/nowhere/at/all.xml"), "file-unwritable"),
        (("gate", "nothing"), "not-found"),
        (("gate", "../backends"), "key-unusable"),
        (("start", "slow"), "wrong-state"),
        (("halt", "slow", "--reason", " "), "reason-missing"),
        (("events", "import", "/nowhere/labels.csv"), "file-unreadable"),
    ],
)
def test_wrong_use_is_said_with_a_code_and_what_to_do(sluice: Command, arguments: tuple[str, ...], code: str) -> None:
    ran = sluice.run(*arguments, "--json")
    assert (ran.code, ran.json["code"], ran.json["exit_code"]) == (4, code, 4)
    assert ran.json["detail"].endswith(".")
    assert ran.json["next_step"]


def test_people_are_told_in_a_sentence_and_the_next_step(sluice: Command) -> None:
    ran = sluice.run("start", "slow")
    assert ran.out == ""
    assert ran.err.splitlines() == [
        "Experiment slow is running; start needs it to be draft. (wrong-state)",
        "Its decisions say what happened to it.",
    ]


def test_a_wrong_token_is_wrong_use_and_a_server_that_is_away_is_not_measured(sluice: Command, tmp_path: Path) -> None:
    assert sluice.run("status", SLUICE_TOKEN="slc_wrong").code == 4
    away = command_at(f"http://127.0.0.1:{free_port()}", "slc_any", tmp_path).run("gate", "slow")
    assert (away.code, "(unreachable)" in away.err) == (3, True)


def test_who_logged_in_needs_no_environment_and_nobody_else_reads_the_token(sluice: Command, tmp_path: Path) -> None:
    url, token = sluice.environment["SLUICE_URL"], sluice.environment["SLUICE_TOKEN"]
    nothing = {"SLUICE_URL": "", "SLUICE_TOKEN": ""}
    assert sluice.run("status", **nothing).code == 4
    assert sluice.run("login", url, typed="slc_wrong\n", **nothing).code == 4
    assert sluice.run("login", url, typed=f"{token}\n", **nothing).code == 0
    [file] = tmp_path.rglob("credentials.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sluice.run("gate", "slow", **nothing).code == 3
    # The token is not sent to another server.
    elsewhere = sluice.run("status", SLUICE_URL="http://127.0.0.1:9", SLUICE_TOKEN="")
    assert (elsewhere.code, "(not-logged-in)" in elsewhere.err) == (4, True)


def test_a_plan_is_forecast(sluice: Command) -> None:
    ran = sluice.run("sample-size", "slow", "--users-per-hour", "5000", "--baseline", "error-rate=0.02", "--json")
    assert ran.code == 0
    assert {each["metric"]: each["baseline"] for each in ran.json["metrics"]}["error-rate"] == 0.02
    assert sluice.run("sample-size", "slow", "--baseline", "error-rate").code == 4
