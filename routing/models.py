"""Backends, endpoints, published routing tables and the edges that apply them."""

import secrets
from datetime import datetime
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Coalesce

from controlplane.legible import LegibleField, LegibleKey
from controlplane.versions import Versioned
from routing.kinds import KINDS
from routing.kinds.openai import OPENAI
from routing.shapes import (
    STORED_ARMS,
    STORED_CONDITIONS,
    STORED_GUARD,
    STORED_PAIRS,
    STORED_RATE_LIMITS,
    STORED_RULES,
    STORED_SHADOWS,
    STORED_TEXTS,
    STORED_TIERS,
    check_conditions,
    check_headers,
    check_query,
    check_rate_limits,
    check_rules,
    check_shadows,
    check_texts,
    check_tiers,
)
from routing.table import BUCKETS, LARGEST_BODY

KEY_VALIDATOR = RegexValidator(
    r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "Use lower-case letters, digits and inner hyphens, like `chat-v2`."
)
PROTOCOLS = [(kind.key, kind.label) for kind in KINDS.values()]
PRICES = [MinValueValidator(0), MaxValueValidator(1e12)]
SECONDS = [MinValueValidator(0), MaxValueValidator(86_400)]
Span = tuple[datetime, datetime | None]
"""A beginning and an end, or None while it goes on."""

IN_USE = models.Q(retired_at=None)
"""Backends that something new may name: all but those that were retired."""

PATH_VALIDATOR = RegexValidator(r"^/[!-~]*$", "Start with `/` and use no spaces, like `/chat`.")


class UnitSource(models.TextChoices):
    """Where an endpoint finds the unit of a request."""

    HEADER = "header", "Request header"
    COOKIE = "cookie", "Cookie"
    BODY = "body", "Field of the JSON body"
    CLAIM = "claim", "Claim of the token"


class Backend(Versioned):
    """A deployed model version: where it is, what it speaks, what it costs."""

    key = models.CharField(max_length=63, unique=True, validators=[KEY_VALIDATOR])
    name = models.CharField(max_length=100)
    protocol = models.CharField(max_length=20, choices=PROTOCOLS, default=OPENAI.key)
    addresses = LegibleField(shape=STORED_TEXTS, help_text="List of base addresses, like `http://10.0.0.5:8000`.")
    health_path = models.CharField(
        max_length=200, blank=True, validators=[PATH_VALIDATOR], help_text="Empty for that of the protocol."
    )
    prompt_price = models.FloatField(default=0, validators=PRICES, help_text="Price of a million prompt tokens.")
    completion_price = models.FloatField(
        default=0, validators=PRICES, help_text="Price of a million completion tokens."
    )
    registry_reference = models.CharField(
        max_length=200, blank=True, help_text="Where the model registry keeps this version."
    )
    connect_seconds = models.FloatField(
        default=3, validators=[MinValueValidator(0.1), MaxValueValidator(60)], help_text="Longest time to connect."
    )
    concurrency = models.PositiveIntegerField(
        default=0, validators=[MaxValueValidator(1_000_000)], help_text="Most requests at once; 0 for any number."
    )
    http2 = models.BooleanField(default=False, help_text="It speaks HTTP/2, as gRPC does.")
    fallback = LegibleKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="stands_in_for",
        limit_choices_to=IN_USE,
        help_text="Answers while this one has no healthy host.",
    )
    credential_secret = models.CharField(
        max_length=63, blank=True, validators=[KEY_VALIDATOR], help_text="Name of the file on each edge that holds it."
    )
    credential_header = models.CharField(max_length=63, default="authorization", help_text="Header that carries it.")
    credential_prefix = models.CharField(max_length=20, blank=True, default="Bearer ", help_text="Text before it.")
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Since when only history names it; null while it can be used."
    )

    class Meta:
        ordering = ("key",)
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(protocol__in=list(KINDS)), name="backend_protocol_known"),
            models.CheckConstraint(
                condition=models.Q(prompt_price__gte=0, completion_price__gte=0),
                name="backend_prices_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def is_over(self) -> bool:
        """Whether it needs no other backend any longer."""
        return self.retired_at is not None

    @property
    def ready_path(self) -> str:
        """What edges ask: its own health path, or that of what it speaks; none where this release knows neither."""
        kind = KINDS.get(self.protocol)
        return self.health_path or (kind.ready_path() if kind else "")


def new_salt() -> str:
    """A salt that no other layer has."""
    return secrets.token_hex(8)


class Layer(Versioned):
    """Endpoints whose users have the same buckets, and whose experiments share no user."""

    key = models.CharField(max_length=63, unique=True, validators=[KEY_VALIDATOR])
    name = models.CharField(max_length=100)
    salt = models.CharField(
        max_length=64, blank=True, help_text="Separates this layer's assignment from all others; made when left out."
    )
    holdout = models.PositiveIntegerField(
        default=0,
        validators=[MaxValueValidator(BUCKETS - 1)],
        help_text="Share of the users whom no experiment takes, in 1/10 000: the last buckets.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("key",)
        constraints: ClassVar = [
            models.CheckConstraint(condition=~models.Q(salt=""), name="layer_salt_not_empty"),
            models.CheckConstraint(condition=models.Q(holdout__lt=BUCKETS), name="layer_holdout_in_range"),
        ]

    def __str__(self) -> str:
        return self.key


class Issuer(Versioned):
    """Who signs the tokens that endpoints take: its name in them, whom they are for, and its public keys."""

    key = models.CharField(max_length=63, unique=True, validators=[KEY_VALIDATOR])
    name = models.CharField(max_length=100)
    issuer = models.CharField(max_length=300, help_text="The `iss` of its tokens.")
    audiences = LegibleField(
        shape=STORED_TEXTS,
        default=list,
        blank=True,
        validators=[check_texts],
        help_text="The `aud` of tokens that are taken; none: any.",
    )
    key_set = models.TextField(validators=[MaxLengthValidator(100_000)], help_text="Its JSON Web Key Set.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("key",)

    def __str__(self) -> str:
        return self.key


class Entrance(models.TextChoices):
    """What an endpoint asks of who calls it."""

    OPEN = "open", "Nothing"
    KEY = "key", "A key"
    TOKEN = "token", "A token"
    EITHER = "either", "A key or a token"


class Endpoint(Versioned):
    """The public name that clients call, and the backend that answers when no experiment says otherwise."""

    key = models.CharField(max_length=63, unique=True, validators=[KEY_VALIDATOR])
    name = models.CharField(max_length=100)
    path_prefix = models.CharField(
        max_length=200,
        validators=[PATH_VALIDATOR],
    )
    unit_source = models.CharField(max_length=10, choices=UnitSource.choices, default=UnitSource.HEADER)
    unit_name = models.CharField(
        max_length=100,
        default="x-user-id",
        validators=[RegexValidator(r"^[A-Za-z0-9_.-]+$", "Use letters, digits, `-`, `_` and `.`.")],
        help_text="Name of the header or of the body field that holds the user id.",
    )
    layer = LegibleKey(
        Layer,
        on_delete=models.PROTECT,
        related_name="endpoints",
        help_text="Endpoints of one layer have the same buckets; left out, the endpoint gets one of its own.",
    )
    backend = LegibleKey(Backend, on_delete=models.PROTECT, related_name="endpoints", limit_choices_to=IN_USE)
    headers = LegibleField(
        shape=STORED_PAIRS,
        default=dict,
        blank=True,
        validators=[check_headers],
        help_text="Headers that its requests get, by name.",
    )
    query = LegibleField(
        shape=STORED_PAIRS,
        default=dict,
        blank=True,
        validators=[check_query],
        help_text="Query parameters that its requests get, by name.",
    )
    standby = LegibleKey(
        Backend,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="standby_of",
        limit_choices_to=IN_USE,
        help_text="Kept warm, and a switch away from answering everybody.",
    )
    standby_headers = LegibleField(
        shape=STORED_PAIRS,
        default=dict,
        blank=True,
        validators=[check_headers],
        help_text="Headers that come with the standby.",
    )
    standby_query = LegibleField(
        shape=STORED_PAIRS,
        default=dict,
        blank=True,
        validators=[check_query],
        help_text="Query parameters that come with the standby.",
    )
    rules = LegibleField(
        shape=STORED_RULES,
        default=list,
        blank=True,
        validators=[check_rules],
        help_text="Audiences that get another backend, headers or query parameters; the first that a request meets.",
    )
    timeout_seconds = models.PositiveIntegerField(
        default=300, validators=[MaxValueValidator(86_400)], help_text="Longest answer; 0 means no limit."
    )
    anonymous = models.BooleanField(default=False, help_text="Who has no user id gets one from the edge, in a cookie.")
    hosts = LegibleField(
        shape=STORED_TEXTS, default=list, blank=True, validators=[check_texts], help_text="Only requests to these."
    )
    methods = LegibleField(
        shape=STORED_TEXTS, default=list, blank=True, validators=[check_texts], help_text="Only these methods."
    )
    conditions = LegibleField(
        shape=STORED_CONDITIONS,
        default=list,
        blank=True,
        validators=[check_conditions],
        help_text="Only requests whose headers meet all.",
    )
    model_names = LegibleField(
        shape=STORED_TEXTS,
        default=list,
        blank=True,
        validators=[check_texts],
        help_text="Only requests for these models.",
    )
    rewrite = models.CharField(
        max_length=200, blank=True, validators=[PATH_VALIDATOR], help_text="Replaces the path prefix at the backend."
    )
    first_byte_seconds = models.FloatField(
        default=0, validators=SECONDS, help_text="Longest wait until the answer begins; 0: any."
    )
    idle_seconds = models.FloatField(
        default=0, validators=SECONDS, help_text="Longest silence within an answer; 0: any."
    )
    retries = models.PositiveSmallIntegerField(
        default=1, validators=[MaxValueValidator(5)], help_text="Further attempts while no backend saw the request."
    )
    body_bytes = models.PositiveIntegerField(
        default=0, validators=[MaxValueValidator(LARGEST_BODY)], help_text="Largest request in bytes; 0: any."
    )
    entrance = models.CharField(
        max_length=10, choices=Entrance.choices, default=Entrance.OPEN, help_text="What it asks of who calls it."
    )
    issuer = LegibleKey(
        Issuer, on_delete=models.PROTECT, null=True, blank=True, related_name="endpoints", help_text="Whose tokens."
    )
    rate_limits = LegibleField(
        shape=STORED_RATE_LIMITS,
        default=list,
        blank=True,
        validators=[check_rate_limits],
        help_text="How often it may be called, at each edge.",
    )
    tiers = LegibleField(
        shape=STORED_TIERS,
        default=list,
        blank=True,
        validators=[check_tiers],
        help_text="Easy requests that another backend answers.",
    )
    shadows = LegibleField(
        shape=STORED_SHADOWS,
        default=list,
        blank=True,
        validators=[check_shadows],
        help_text="Candidates that get copies of requests.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("key",)
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(unit_source__in=UnitSource.values), name="endpoint_unit_source_known"
            ),
            models.CheckConstraint(condition=models.Q(entrance__in=Entrance.values), name="endpoint_entrance_known"),
            models.CheckConstraint(
                condition=models.Q(path_prefix__startswith="/"), name="endpoint_path_prefix_starts_with_slash"
            ),
            models.CheckConstraint(
                condition=models.Q(standby=None) | ~models.Q(standby=models.F("backend")),
                name="endpoint_standby_is_another",
                violation_error_message="The standby is another backend than the default one.",
            ),
        ]

    def __str__(self) -> str:
        return self.key

    def clean(self) -> None:
        """Refuse a standby that is the backend itself. Raises Django's `ValidationError`."""
        if self.standby_id is not None and self.standby_id == self.backend_id:
            raise ValidationError({"standby": "The standby is another backend than the default one."})


class AccessKey(models.Model):
    """A key that lets a client in, kept as its hash alone; one without endpoints opens all that ask for keys."""

    client = models.CharField(max_length=63, validators=[KEY_VALIDATOR], help_text="Who calls, as logs name it.")
    prefix = models.CharField(max_length=12, help_text="How the key begins, to tell keys apart.")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the key.")
    endpoints = models.ManyToManyField(Endpoint, blank=True, related_name="access_keys")
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("client", "-created_at")

    def __str__(self) -> str:
        return f"{self.client} ({self.prefix}…)"


class Split(models.Model):
    """How one running experiment divides its share of an endpoint's users.

    `arms` is a list of `{"variant", "backend", "start", "end"}`, the control's first, with `headers` and `query` where
    a variant sets some, and `guard_round` where it was given back after an edge took it out: how often. The spans are
    half-open bucket ranges that no other split of the endpoint's layer touches.
    """

    endpoint = LegibleKey(Endpoint, on_delete=models.PROTECT, related_name="splits")
    experiment = models.CharField(max_length=63, unique=True)
    stage = models.PositiveIntegerField(default=0)
    coverage = models.PositiveIntegerField(help_text="Share of each arm's span that is in, in 1/10 000.")
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    arms = LegibleField(
        shape=STORED_ARMS,
    )
    audience = LegibleField(shape=STORED_CONDITIONS, default=list, validators=[check_conditions])
    guard = LegibleField(
        shape=STORED_GUARD, null=True, default=dict, help_text="When an edge takes a candidate out; null: never."
    )

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

    @property
    def last(self) -> int:
        """The last of its buckets."""
        return self.end - 1


class Stop(models.Model):
    """A time during which the kill switch was on, for one endpoint or, without one, for all of them."""

    endpoint = LegibleKey(Endpoint, on_delete=models.CASCADE, null=True, blank=True, related_name="stops")
    since = models.DateTimeField()
    by = models.CharField(max_length=150)
    reason = models.TextField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-since",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                Coalesce("endpoint", 0), condition=models.Q(ended_at=None), name="stop_one_open_an_endpoint"
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="stop_has_reason"),
        ]

    def __str__(self) -> str:
        return f"stop of {self.scope}"

    @property
    def span(self) -> Span:
        """When it was on."""
        return self.since, self.ended_at

    @property
    def scope(self) -> str:
        """What is stopped, in words."""
        return self.endpoint.key if self.endpoint else "all endpoints"


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


class Hindrance(models.Model):
    """A part of what the database asks for that could not be published; gone once it is mended."""

    subject = models.CharField(max_length=100, unique=True, help_text="What is concerned, like `endpoint chat`.")
    code = models.CharField(max_length=63)
    detail = models.TextField()
    next_step = models.TextField()
    since = models.DateTimeField()

    class Meta:
        ordering = ("since", "subject")

    def __str__(self) -> str:
        return f"{self.subject}: {self.code}"


class Tick(models.Model):
    """The last tick that a worker went through; one row, and none before the first."""

    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"tick at {self.at:%Y-%m-%d %H:%M:%S}"


class Edge(models.Model):
    """One Envoy with its agent, as it last reported."""

    name = models.CharField(max_length=63, unique=True)
    zone = models.CharField(max_length=63, blank=True)
    labels = models.CharField(max_length=500, blank=True, help_text="What its operator calls it, like `gpu=h100`.")
    applied_version = models.PositiveBigIntegerField(default=0)
    applied_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField()
    healthy = models.BooleanField(default=True)
    error = models.TextField(blank=True)
    cuts = LegibleField(default=list, help_text="Candidates that it took out by itself, with its counts.")
    unread = models.TextField(blank=True, help_text="What of its last report this release could not read.")
    loads = LegibleField(default=dict, help_text="How busy backends say they are: waiting, running, cache used.")
    losses = LegibleField(default=list, help_text="Rows that it lost, by run of its Envoy, backend and arm.")

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
