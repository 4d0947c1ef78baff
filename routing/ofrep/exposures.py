"""Exposures: outcomes that say which variant a user was told to be in."""

from collections.abc import Iterable
from typing import Any

import structlog

from controlplane.problems.errors import Unavailable
from controlplane.settings import get_environment
from controlplane.storage.redis_connections import get_redis
from routing.allocation.unit_identity import unit_hash
from routing.intake.accept import accept
from routing.intake.check import check_events
from routing.ofrep.evaluation import Evaluation

log = structlog.get_logger(__name__)


def record(unit: str, evaluations: Iterable[Evaluation]) -> bool:
    """Queue an exposure for each experiment that the unit is in, once a stage; False when none could be queued.

    A flag is answered all the same then, as an edge goes on without Redis.
    """
    key = bytes.fromhex(get_environment().unit_key.get_secret_value())
    hashed = unit_hash(key, unit)
    exposures = [_exposure(unit, hashed, evaluation) for evaluation in evaluations if evaluation.variant is not None]
    try:
        accept(get_redis(), check_events(exposures).require_all(), key)
    except Unavailable as error:
        log.warning("exposures lost", count=len(exposures), code=error.code)
        return False
    return True


def _exposure(unit: str, hashed: int, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "id": f"exposure {evaluation.key} {evaluation.metadata['stage']} {evaluation.variant} {hashed}",
        "name": "exposure",
        "unit": unit,
        "properties": {"experiment": evaluation.key, "variant": evaluation.variant},
    }
