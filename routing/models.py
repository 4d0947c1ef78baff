"""Backends, endpoints, published routing tables and the edges that apply them."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from routing.table import BUCKETS

KEY_VALIDATOR = RegexValidator(
    r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "Use lower-case letters, digits and inner hyphens, like `chat-v2`."
)


class Protocol(models.TextChoices):
    """The protocol that a backend speaks."""

    OPENAI = "openai", "OpenAI-compatible"
    HTTP = "http", "Plain HTTP"


class UnitSource(models.TextChoices):
    """Where an endpoint finds the unit of a request."""

    HEADER = "header", "Request header"
    BODY = "body", "Field of the JSON body"


class Backend(models.Model):
    """A deployed model version: where it is, what it speaks, what it costs."""

    key = models.CharField(max_length=63, unique=True, validators=[KEY_VALIDATOR])
    name = models.CharField(max_length=100)
    protocol = models.CharField(max_length=20, choices=Protocol.choices, default=Protocol.OPENAI)
    addresses = models.JSONField(help_text="List of base addresses, like `http://10.0.0.5:8000`.")
    health_path = models.CharField(max_length=200, default="/health")
    prompt_price = models.FloatField(
        default=0, validators=[MinValueValidator(0)], help_text="Price of a million prompt tokens."
    )
    completion_price = models.FloatField(
        default=0, validators=[MinValueValidator(0)], help_text="Price of a million completion tokens."
    )
    registry_reference = models.CharField(
        max_length=200, blank=True, help_text="Where the model registry keeps this version."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("key",)
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(protocol__in=Protocol.values), name="backend_protocol_known"),
            models.CheckConstraint(
                condition=models.Q(prompt_price__gte=0, completion_price__gte=0),
                name="backend_prices_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class Endpoint(models.Model):
    """The public name that clients call, and the backend that answers when no experiment says otherwise."""

    key = models.CharField(max_length=63, unique=True, validators=[KEY_VALIDATOR])
    name = models.CharField(max_length=100)
    path_prefix = models.CharField(
        max_length=200,
        unique=True,
        validators=[RegexValidator(r"^/[!-~]*$", "Start with `/` and use no spaces, like `/chat`.")],
    )
    unit_source = models.CharField(max_length=10, choices=UnitSource.choices, default=UnitSource.HEADER)
    unit_name = models.CharField(
        max_length=100,
        default="x-user-id",
        validators=[RegexValidator(r"^[A-Za-z0-9_.-]+$", "Use letters, digits, `-`, `_` and `.`.")],
        help_text="Name of the header or of the body field that holds the user id.",
    )
    salt = models.CharField(max_length=64, help_text="Separates this endpoint's assignment from all others.")
    backend = models.ForeignKey(Backend, on_delete=models.PROTECT, related_name="endpoints")
    timeout_seconds = models.PositiveIntegerField(
        default=300, validators=[MaxValueValidator(86_400)], help_text="Longest answer; 0 means no limit."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("key",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(unit_source__in=UnitSource.values), name="endpoint_unit_source_known"
            ),
            models.CheckConstraint(
                condition=models.Q(path_prefix__startswith="/"), name="endpoint_path_prefix_starts_with_slash"
            ),
            models.CheckConstraint(condition=~models.Q(salt=""), name="endpoint_salt_not_empty"),
        ]

    def __str__(self) -> str:
        return self.key


class Split(models.Model):
    """How one running experiment divides its share of an endpoint's users.

    `arms` is a list of `{"variant", "backend", "start", "end"}`; the spans are half-open bucket ranges that no
    other split of the endpoint touches.
    """

    endpoint = models.ForeignKey(Endpoint, on_delete=models.PROTECT, related_name="splits")
    experiment = models.CharField(max_length=63, unique=True)
    stage = models.PositiveIntegerField(default=0)
    coverage = models.PositiveIntegerField(help_text="Share of each arm's span that is in, in 1/10 000.")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    arms = models.JSONField()

    class Meta:
        ordering = ("endpoint", "start")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("endpoint", "start"), name="split_start_unique"),
            models.CheckConstraint(
                condition=models.Q(start__lt=models.F("end"), end__lte=BUCKETS), name="split_span_in_layer"
            ),
            models.CheckConstraint(condition=models.Q(coverage__lte=BUCKETS), name="split_coverage_in_range"),
        ]

    def __str__(self) -> str:
        return f"split of {self.experiment}"


class RoutingTable(models.Model):
    """One published version of all routing. Kept for ever; the database refuses to change or delete one."""

    version = models.PositiveBigIntegerField(unique=True)
    content = models.TextField(help_text="Canonical JSON.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the content without its version.")
    cause = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-version",)

    def __str__(self) -> str:
        return f"routing table {self.version}"


class Edge(models.Model):
    """One Envoy with its agent, as it last reported."""

    name = models.CharField(max_length=63, unique=True)
    zone = models.CharField(max_length=63, blank=True)
    applied_version = models.PositiveBigIntegerField(default=0)
    applied_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()
    healthy = models.BooleanField(default=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
