"""Swap an endpoint's backend and its standby, for all users at once."""

from typing import Any

from controlplane.audit.actors import Actor
from controlplane.audit.record import record
from controlplane.catalogue.writes import snapshot
from controlplane.models import Right
from controlplane.problems.errors import Conflict
from controlplane.storage.versions import change, locked
from routing.models import Backend, Endpoint
from routing.publishing.publish import publish
from routing.resources.changing import changing
from routing.resources.defaults import swapped


def switch(
    endpoint: Endpoint,
    *,
    actor: Actor,
    reason: str = "",
    to: str = "",
    forced: bool = False,
    version: int | None = None,
) -> None:
    """Let the standby answer, and keep what answered before as the standby; the same again goes back.

    Each comes with its headers and query parameters. With `to`, only when that backend is the standby, and with
    `version`, only when that is the endpoint's present one, so that two who switch at once do not undo each other.
    Raises `NotAllowed`; `Missing` and `Outdated`; `Conflict` without a standby, when somebody else was faster, or when
    experiments run and it is not `forced`: their variants keep what they have.
    """
    actor.require(Right.PROMOTE, endpoint=endpoint.key)
    with changing(endpoint):
        present = locked(endpoint, version=version)
        standby = _standby(present, to)
        if not forced:
            _refuse_beside_experiments(present)
        before = _sides(present)
        change(present, swapped(present, standby))
        record(actor, "switch", "endpoint", present.key, before=before, after=_sides(present), reason=reason)
    publish(f"{actor.name} switched endpoint {present.key} to {standby.key}")


def _sides(endpoint: Endpoint) -> dict[str, Any]:
    """Both sides; headers and query parameters are left out where there are none."""
    parameters = ("headers", "query", "standby_headers", "standby_query")
    found = snapshot(endpoint)
    set_ones = {name: found[name] for name in parameters if found[name]}
    return {"backend": found["backend"], "standby": found["standby"], **set_ones}


def _standby(endpoint: Endpoint, to: str) -> Backend:
    if endpoint.standby is None:
        raise Conflict(
            "standby-missing",
            f"Endpoint {endpoint.key} has no standby to switch to.",
            next_step="Name a standby backend on the endpoint first.",
        )
    if to and to != endpoint.standby.key:
        raise Conflict(
            "standby-changed",
            f"The standby of endpoint {endpoint.key} is {endpoint.standby.key}, not {to}.",
            next_step="Read the endpoint again; somebody may have switched already.",
        )
    return endpoint.standby


def _refuse_beside_experiments(endpoint: Endpoint) -> None:
    running = list(endpoint.splits.values_list("experiment", flat=True))
    if running:
        raise Conflict(
            "experiments-run",
            f"{', '.join(running)} would be compared with a backend that is no longer the endpoint's own.",
            next_step="End these experiments first, or force the switch.",
        )
