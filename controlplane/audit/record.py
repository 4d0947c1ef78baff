"""The audit trail: one immutable row for each change."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from controlplane.audit.actors import Actor
from controlplane.models import AuditEvent
from controlplane.problems.request_ids import current_request_id
from controlplane.problems.used_token import current_token


def record(
    actor: Actor,
    verb: str,
    object_type: str,
    object_key: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    evidence: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> AuditEvent:
    """Append one audit event, of now unless told otherwise; call it inside the transaction that makes the change."""
    return AuditEvent.objects.create(
        at=at or timezone.now(),
        actor=actor.name,
        token=current_token(),
        request_id=current_request_id(),
        verb=verb,
        object_type=object_type,
        object_key=object_key,
        before=dict(before or {}),
        after=dict(after or {}),
        reason=reason,
        evidence=dict(evidence or {}),
    )
