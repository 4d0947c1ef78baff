"""Accounts, API tokens and the audit trail."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone


class Right(models.TextChoices):
    """What can be allowed to one and not to another; the scopes of tokens are these."""

    READ = "read", "look at everything"
    EVENTS = "events", "send outcomes"
    FLAGS = "flags", "evaluate flags"
    PLAN = "plan", "register, change and remove what experiments need, and write drafts"
    START = "start", "start and resume experiments, and turn the kill switch off"
    HALT = "halt", "halt and pause experiments, and turn the kill switch on"
    PROMOTE = "promote", "promote candidates, and switch endpoints"
    ADMIN = "admin", "manage accounts, and erase users"


class Role(models.TextChoices):
    """What an account or a token may do."""

    VIEWER = "viewer", "Viewer: may look"
    SENDER = "sender", "Sender: may send outcomes, and nothing else"
    REPORTER = "reporter", "Reporter: may look and send outcomes"
    OPERATOR = "operator", "Operator: may look and halt"
    EDITOR = "editor", "Editor: may write drafts and what they need, and halt"
    APPROVER = "approver", "Approver: may start and promote what is written, too"
    ADMIN = "admin", "Admin: may manage accounts too"

    @property
    def rights(self) -> frozenset[Right]:
        """What it may do."""
        return RIGHTS[self]

    def includes(self, other: "Role") -> bool:
        """Whether this role may do all that `other` may."""
        return self.rights >= other.rights


LOOKING = frozenset({Right.READ, Right.FLAGS})
BRAKING = LOOKING | {Right.HALT}
EDITING = BRAKING | {Right.EVENTS, Right.PLAN}
APPROVING = EDITING | {Right.START, Right.PROMOTE}
"""Each of these may do what those before it may: who changes something may also stop it."""

RIGHTS = {
    Role.VIEWER: LOOKING,
    Role.SENDER: frozenset({Right.EVENTS}),
    Role.REPORTER: LOOKING | {Right.EVENTS},
    Role.OPERATOR: BRAKING,
    Role.EDITOR: EDITING,
    Role.APPROVER: APPROVING,
    Role.ADMIN: APPROVING | {Right.ADMIN},
}

ACCOUNT_ROLES = (Role.VIEWER, Role.OPERATOR, Role.EDITOR, Role.APPROVER, Role.ADMIN)
"""Those of people; the others are for tokens."""


class User(AbstractUser):
    """A person or a service that logs in."""

    role = models.CharField(
        max_length=10, choices=[(role.value, role.label) for role in ACCOUNT_ROLES], default=Role.VIEWER
    )
    endpoints = models.JSONField(
        default=list,
        blank=True,
        help_text="The endpoints, by their keys, within which the person may change anything; none: all.",
    )

    class Meta:
        ordering = ("username",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in ACCOUNT_ROLES]), name="user_role_known"
            ),
        ]


class Token(models.Model):
    """An API token: `slc_<prefix>_<secret>`; only a keyed hash of the secret is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.APPROVER)
    scopes = models.JSONField(
        default=list, blank=True, help_text="The rights that it is limited to; none: all that its role has."
    )
    networks = models.JSONField(
        default=list, blank=True, help_text="The networks that it may be used from; none: from everywhere."
    )
    endpoints = models.JSONField(
        default=list, blank=True, help_text="The endpoints that it is limited to, by their keys; none: all."
    )
    workload = models.CharField(max_length=200, blank=True, default="", help_text="The job of CI that it was given to.")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.name} (slc_{self.prefix}_…)"


class AuditEvent(models.Model):
    """Who changed what, when and why. The database refuses to change or delete one."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    actor = models.CharField(max_length=150)
    token = models.CharField(max_length=150, blank=True, default="")
    request_id = models.CharField(max_length=64, blank=True)
    verb = models.CharField(max_length=40)
    object_type = models.CharField(max_length=40)
    object_key = models.CharField(max_length=100)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    evidence = models.JSONField(default=dict)

    class Meta:
        ordering = ("-id",)
        indexes: ClassVar = [models.Index(fields=("object_type", "object_key"), name="audit_by_object")]

    def __str__(self) -> str:
        return f"{self.actor} {self.verb} {self.object_type} {self.object_key}"
