"""Asks Envoy whether it would take a table, before any edge is given it."""

import json
import re
import subprocess
from dataclasses import replace
from functools import lru_cache
from tempfile import NamedTemporaryFile

import certifi
import structlog

from routing.edge.configuration import certificate_authorities
from routing.edge.envoy_process import envoy_binary
from routing.envoy.whole import whole
from routing.table import Table

log = structlog.get_logger(__name__)

ANSWER_SECONDS = 30.0
REMEMBERED = 256
LONGEST_REASON = 300


def refusal(table: Table) -> str:
    """Why Envoy would not take a table without problems; empty when it would, or when Envoy cannot be run here."""
    return _refusal(replace(table, version=0, endpoints=tuple(replace(e, salt="salt") for e in table.endpoints)))


@lru_cache(REMEMBERED)
def _refusal(table: Table) -> str:
    """Neither version nor salt is anything to Envoy but a number and a text, so what was asked once is known."""
    content = json.dumps(whole(table, certificates=certificate_authorities() or certifi.where()))
    with NamedTemporaryFile("w", suffix=".json") as file:
        file.write(content)
        file.flush()
        command = [str(envoy_binary()), "--mode", "validate", "--disable-hot-restart", "--log-level", "critical"]
        try:
            ended = subprocess.run(
                [*command, "-c", file.name], capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            log.warning("envoy cannot be asked about a table", reason=str(error))
            return ""
    return "" if ended.returncode == 0 else _reason(ended.stderr)


def _reason(output: str) -> str:
    """Envoy's own words, which stand between backticks or behind the name of the file."""
    found = re.search(r"error `(.+?)` initializing|configuration '[^']*': (.+)", output, re.DOTALL)
    words = (found[1] or found[2]) if found else output
    return re.sub(r"\s+", " ", words).strip()[-LONGEST_REASON:]
