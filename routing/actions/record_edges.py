"""Keep what the edges last reported, also after they fall silent."""

import json
from datetime import datetime

import redis

from routing import keys
from routing.models import Edge


def record_edges(client: redis.Redis) -> int:
    """Copy the heartbeats of living edges into the database; returns how many there are."""
    names = sorted(str(name) for name in client.smembers(keys.EDGES))
    beats = [client.hgetall(keys.edge(name)) for name in names]
    living = [{str(field): str(value) for field, value in beat.items()} for beat in beats if beat]
    for beat in living:
        _record(beat)
    return len(living)


def _record(beat: dict[str, str]) -> None:
    Edge.objects.update_or_create(
        name=beat["name"],
        defaults={
            "zone": beat["zone"],
            "labels": beat.get("labels", ""),
            "applied_version": int(beat["applied_version"]),
            "applied_at": datetime.fromisoformat(beat["applied_at"]) if beat.get("applied_at") else None,
            "seen_at": datetime.fromisoformat(beat["seen_at"]),
            "healthy": beat["healthy"] == "1",
            "error": beat["error"],
            "cuts": json.loads(beat.get("cuts", "[]")),
            "loads": json.loads(beat.get("loads", "{}")),
        },
    )
