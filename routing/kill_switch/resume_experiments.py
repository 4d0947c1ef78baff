"""Turn the kill switch off: everybody is in the same arm as before."""

from contextlib import suppress

import redis
from django.utils import timezone

from controlplane.audit.actors import Actor
from controlplane.audit.reasons import stated
from controlplane.audit.record import record
from controlplane.models import Right
from controlplane.problems.errors import Outdated
from routing.kill_switch.record_orders import record_orders
from routing.models import Endpoint, Stop
from routing.publishing.publish import publish
from routing.resources.changing import changing


def resume_experiments(endpoint: Endpoint | None, *, actor: Actor, reason: str, seen: str = "") -> None:
    """Put the experiments and shadows of an endpoint, or of all of them, into the published table again.

    A stop that is not recorded yet is recorded first. Where the switch is off already, nothing happens; an endpoint
    stays stopped while all of them are. With `seen`, the time since when it was seen to be on, no other stop is ended.
    Raises `NotAllowed`, `Outdated` when another stop is there by now, and `InvalidInput` without a reason or when edges
    could not serve the table; then the switch stays on.
    """
    actor.require(Right.START, endpoint=endpoint.key if endpoint else None)
    reason = stated(reason, "Letting experiments run again")
    with suppress(redis.RedisError):
        record_orders()
    with changing():
        stop = Stop.objects.select_for_update().filter(endpoint=endpoint, ended_at=None).first()
        if stop is None:
            return
        if seen not in ("", stop.since.isoformat()):
            raise _another(stop)
        Stop.objects.filter(pk=stop.pk).update(ended_at=timezone.now())
        record(actor, "resume-experiments", "kill-switch", stop.scope, after={"on": False}, reason=reason)
    publish(f"{actor.name} resumed the experiments on {stop.scope}: {reason}")


def _another(stop: Stop) -> Outdated:
    return Outdated(
        "outdated",
        f"Nothing is done: the stop that you saw is over, and another is on for {stop.scope} since "
        f"{stop.since:%Y-%m-%d %H:%M:%S} UTC, by {stop.by}: {stop.reason}",
        next_step="Look at why it is on, and decide anew.",
    )
