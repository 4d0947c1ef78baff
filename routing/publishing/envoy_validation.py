"""Asks Envoy whether it would take a table, before any edge is given it.

Envoy takes 50 ms to be asked, and 250 ms about fifty endpoints with five experiments each. So it is asked only about
what it has not taken before: endpoints of one path are one question, as no route of theirs concerns another path.
"""

import json
import re
import subprocess
from dataclasses import replace
from itertools import groupby
from tempfile import NamedTemporaryFile

import certifi
import structlog

from routing.envoy.whole import whole
from routing.installed_envoy import certificate_authorities, envoy_binary
from routing.table import WHOLE, Endpoint, RunningExperiment, Table

log = structlog.get_logger(__name__)

ANSWER_SECONDS = 30.0
MOST_REMEMBERED = 10_000
LONGEST_REASON = 300

_taken: set[Table] = set()


def refusal(table: Table) -> str:
    """Why Envoy would not take a table without problems; empty when it would, or when Envoy cannot be run here."""
    unknown = [part for part in _parts(table) if part not in _taken]
    if not unknown:
        return ""
    try:
        reason = _ask(replace(unknown[0], endpoints=tuple(endpoint for part in unknown for endpoint in part.endpoints)))
    except (OSError, subprocess.TimeoutExpired) as error:
        log.warning("envoy cannot be asked about a table", reason=str(error))
        return ""
    if not reason:
        _remember(unknown)
    return reason


def _parts(table: Table) -> list[Table]:
    """The table's backends alone, and with the endpoints of each path."""
    bare = replace(table, version=0, endpoints=())
    in_order = sorted(table.endpoints, key=_path)
    parts = [tuple(map(_shape, endpoints)) for _, endpoints in groupby(in_order, key=_path)]
    return [bare, *(replace(bare, endpoints=endpoints) for endpoints in parts)]


def _path(endpoint: Endpoint) -> str:
    return endpoint.path_prefix


def _shape(endpoint: Endpoint) -> Endpoint:
    """What an endpoint is to Envoy, to which a salt is a text, and a stage and a part of all users are numbers."""
    experiments = tuple(map(_shape_of_experiment, endpoint.experiments))
    return replace(endpoint, salt="salt", experiments=experiments, warm=())


def _shape_of_experiment(experiment: RunningExperiment) -> RunningExperiment:
    some = 0 < experiment.coverage < WHOLE
    coverage = WHOLE // 2 if some else experiment.coverage
    arms = tuple(replace(arm, guard_round=0) for arm in experiment.arms)
    return replace(experiment, stage=0, coverage=coverage, guard=None, arms=arms)


def _remember(parts: list[Table]) -> None:
    if len(_taken) > MOST_REMEMBERED:
        _taken.clear()
    _taken.update(parts)


def _ask(table: Table) -> str:
    """Raises `OSError` or `TimeoutExpired` when Envoy does not answer."""
    content = json.dumps(whole(table, certificates=certificate_authorities() or certifi.where()))
    with NamedTemporaryFile("w", suffix=".json") as file:
        file.write(content)
        file.flush()
        command = [str(envoy_binary()), "--mode", "validate", "--disable-hot-restart", "--log-level", "critical"]
        ended = subprocess.run(
            [*command, "-c", file.name], capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
        )
    return "" if ended.returncode == 0 else _reason(ended.stderr)


def _reason(output: str) -> str:
    """Envoy's own words, which stand between backticks or behind the name of the file."""
    found = re.search(r"error `(.+?)` initializing|configuration '[^']*': (.+)", output, re.DOTALL)
    words = (found[1] or found[2]) if found else output
    return re.sub(r"\s+", " ", words).strip()[-LONGEST_REASON:]
