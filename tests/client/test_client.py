"""The Python client: the few typed calls, in one process and in those that fork from it."""

import subprocess
import sys

import pytest

from sluice import Client, ExitCode, Refused, Unreachable, WrongUse
from tests.client.live import Command
from tests.servers.processes import free_port

pytestmark = pytest.mark.slow

# Each process asks on; where they shared a connection, answers would go to who did not ask.
FORKS = """
import os
from sluice import Client

client = Client(os.environ["SLUICE_URL"], os.environ["SLUICE_TOKEN"])
client.check()
children = []
for key in ("waiting", "slow", "good", "bad"):
    child = os.fork()
    if not child:
        right = all(client.gate(key).key == key for _ in range(15))
        os._exit(0 if right else 1)
    children.append(child)
assert all(client.gate("slow").key == "slow" for _ in range(15))
assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0] * 4
"""


def test_processes_that_fork_share_a_client(sluice: Command) -> None:
    subprocess.run([sys.executable, "-c", FORKS], check=True, env=sluice.environment)


def test_what_it_tells_is_typed(sluice: Command) -> None:
    with Client(sluice.environment["SLUICE_URL"], sluice.environment["SLUICE_TOKEN"]) as client:
        gate = client.gate("slow")
        assert (gate.decided, gate.exit_code, gate.decision) == (False, ExitCode.NOT_MEASURED, None)
        assert gate.due_at is not None
        [goal, _] = client.results("slow")
        assert (goal.metric, goal.control, goal.candidate, goal.relative) == ("requests-per-user", 4.0, 5.0, 0.25)
        with pytest.raises(Refused) as refused:
            client.start("slow")
        assert (refused.value.status, refused.value.code) == (409, "wrong-state")


def test_what_is_not_there_is_said_so() -> None:
    with Client(f"http://127.0.0.1:{free_port()}", "slc_any") as client, pytest.raises(Unreachable):
        client.check()
    for url, token in (("127.0.0.1:8000", "slc_any"), ("ftp://host", "slc_any"), ("http://host", "two words")):
        with pytest.raises(WrongUse):
            Client(url, token)
