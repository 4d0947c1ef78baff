"""Whatever lies where waiting orders are kept, brakes are kept there and read from there."""

from typing import Any

import pytest
import redis

from controlplane.models import Role
from routing import redis_keys
from routing.publishing import waiting_orders
from routing.publishing.waiting_orders import Order, Verb

ORDER = Order(verb=Verb.HALT, subject="canary", actor="ann", role=Role.APPROVER, reason="It answers in Latin.")


def put(client: redis.Redis, value: Any) -> None:
    if isinstance(value, dict):
        client.hset(redis_keys.ORDERS, mapping=value)
    elif isinstance(value, set):
        client.sadd(redis_keys.ORDERS, *value)
    else:
        client.set(redis_keys.ORDERS, value)


@pytest.mark.parametrize("value", ["garbage", {"a": "b"}, {"a"}])
def test_what_is_no_list_is_in_the_way_of_no_brake(redis_server: redis.Redis, value: Any) -> None:
    put(redis_server, value)
    assert waiting_orders.waiting(redis_server) == []

    put(redis_server, value)
    waiting_orders.keep(redis_server, ORDER)
    assert waiting_orders.waiting(redis_server) == [ORDER]


def test_what_is_no_order_hides_none(redis_server: redis.Redis) -> None:
    redis_server.rpush(redis_keys.ORDERS, "garbage")
    waiting_orders.keep(redis_server, ORDER)
    assert waiting_orders.waiting(redis_server) == [ORDER]
