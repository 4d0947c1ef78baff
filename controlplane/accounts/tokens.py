"""API tokens: `slc_<prefix>_<secret>`, kept as a keyed hash and compared in constant time."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q
from django.utils import timezone

from controlplane.models import Right, Role, Token, User
from controlplane.storage.database import impatient

log = structlog.get_logger(__name__)

SCHEME = "slc"
LAST_USE_RESOLUTION = timedelta(minutes=1)
LONGEST_WAIT_SECONDS = 0.2


def issue_token(
    user: User,
    name: str,
    *,
    role: Role = Role.APPROVER,
    scopes: Collection[Right] = (),
    networks: Collection[str] = (),
    endpoints: Collection[str] = (),
    expires_at: datetime | None = None,
    workload: str = "",
) -> str:
    """Create a token, limited by what is not empty, and return its only readable form."""
    prefix, secret = secrets.token_hex(4), secrets.token_hex(24)
    limits = {"scopes": sorted(scopes), "networks": list(networks), "endpoints": sorted(endpoints)}
    about = {"user": user, "name": name, "role": role, "expires_at": expires_at, "workload": workload}
    Token.objects.create(prefix=prefix, digest=_digest(secret), **about, **limits)
    return f"{SCHEME}_{prefix}_{secret}"


def find_token(text: str) -> Token | None:
    """The living token of an active user behind `text`, or None."""
    scheme, _, rest = text.partition("_")
    prefix, _, secret = rest.partition("_")
    now = timezone.now()
    living = Q(revoked_at__isnull=True) & (Q(expires_at__isnull=True) | Q(expires_at__gt=now))
    token = Token.objects.select_related("user").filter(living, prefix=prefix, user__is_active=True).first()
    if scheme != SCHEME or token is None or not hmac.compare_digest(token.digest, _digest(secret)):
        return None
    _remember_use(token, now)
    return token


def _digest(secret: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), secret.encode(), hashlib.sha256).hexdigest()


def _remember_use(token: Token, now: datetime) -> None:
    """A token works also while the database cannot be written."""
    if token.last_used_at is not None and now - token.last_used_at <= LAST_USE_RESOLUTION:
        return
    try:
        with impatient(LONGEST_WAIT_SECONDS), transaction.atomic():
            Token.objects.filter(pk=token.pk).update(last_used_at=now)
    except DatabaseError as error:
        log.warning("the use of a token is not noted", token=token.prefix, reason=str(error))
