"""Swap an endpoint's backend and its standby, for all users at once."""

from django.db import transaction

from controlplane.actors import Actor
from controlplane.audit import record
from controlplane.errors import Conflict
from controlplane.models import Role
from routing.actions.publish import check_publishable, publish
from routing.models import Backend, Endpoint


def switch(endpoint: Endpoint, *, actor: Actor, reason: str = "", to: str = "", forced: bool = False) -> None:
    """Let the standby answer, and keep what answered before as the standby; the same again goes back.

    With `to`, only when that backend is the standby, so that two who switch at once do not undo each other. Raises
    `NotAllowed`; `Conflict` without a standby, when somebody else was faster, or when experiments run and it is not
    `forced`: their variants keep their backends.
    """
    actor.require(Role.OPERATOR)
    with transaction.atomic():
        present = Endpoint.objects.select_for_update(of=("self",)).select_related("backend", "standby")
        endpoint = present.get(pk=endpoint.pk)
        standby = _standby(endpoint, to)
        if not forced:
            _refuse_beside_experiments(endpoint)
        before = _sides(endpoint)
        endpoint.backend, endpoint.standby = standby, endpoint.backend
        endpoint.save(update_fields=["backend", "standby"])
        check_publishable()
        after = _sides(endpoint)
        record(actor, "switch", "endpoint", endpoint.key, before=before, after=after, reason=reason)
    publish(f"{actor.name} switched endpoint {endpoint.key} to {endpoint.backend.key}")


def _sides(endpoint: Endpoint) -> dict[str, str | None]:
    return {"backend": endpoint.backend.key, "standby": endpoint.standby.key if endpoint.standby else None}


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
            next_step="Look at the endpoint again; somebody may have switched already.",
        )
    return endpoint.standby


def _refuse_beside_experiments(endpoint: Endpoint) -> None:
    running = list(endpoint.splits.values_list("experiment", flat=True))
    if running:
        raise Conflict(
            "experiments-run",
            f"{', '.join(running)} would go on against a backend that is no longer the endpoint's own.",
            next_step="End these experiments first, or force the switch.",
        )
