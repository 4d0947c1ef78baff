"""Write down what was done while the database could not be written."""

from collections.abc import Callable, Mapping

import structlog
from django.core.exceptions import ObjectDoesNotExist
from django.db import OperationalError

from controlplane.problems.errors import SluiceError
from controlplane.storage.redis_connections import get_redis
from routing.kill_switch.stop_experiments import record_stop
from routing.models import AccessKey, Endpoint
from routing.publishing import waiting_orders
from routing.publishing.waiting_orders import Order, Verb
from routing.resources.issue_key import record_revocation

log = structlog.get_logger(__name__)

Recorder = Callable[[Order], object]


def _stop(order: Order) -> None:
    record_stop(Endpoint.objects.get(key=order.subject) if order.subject else None, order)


def _revoke(order: Order) -> None:
    record_revocation(AccessKey.objects.get(digest=order.subject), order)


OF_ROUTING: Mapping[Verb, Recorder] = {Verb.STOP: _stop, Verb.REVOKE: _revoke}


def record_orders(recorders: Mapping[Verb, Recorder] = OF_ROUTING) -> None:
    """Record what waits, in order, each as of the moment, the person and the request that it came from.

    What came too late, because somebody else did the same or more, is only logged. What the database cannot hold yet,
    because a row makes no sense, waits on and keeps no other from being recorded. Killed at any point, the next call
    goes on. Raises `redis.RedisError`, and `OperationalError` while the database is away.
    """
    client = get_redis()
    for order in waiting_orders.waiting(client):
        if order.verb not in recorders:
            continue
        with structlog.contextvars.bound_contextvars(request_id=order.request_id, token=order.token):
            if _is_done_with(order, recorders[order.verb]):
                waiting_orders.forget(client, order)


def _is_done_with(order: Order, record: Recorder) -> bool:
    try:
        record(order)
    except (SluiceError, ObjectDoesNotExist) as error:
        log.warning("an order came too late", verb=order.verb, subject=order.subject, reason=str(error))
    except OperationalError:
        raise
    except Exception:
        log.exception("an order waits on", verb=order.verb, subject=order.subject)
        return False
    else:
        log.info("an order is recorded", verb=order.verb, subject=order.subject, at=order.at.isoformat())
    return True
