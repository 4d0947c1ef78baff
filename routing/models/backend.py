"""A deployed model version."""

from typing import ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from controlplane.storage.keyed import KEY_VALIDATOR, Keyed
from controlplane.storage.legible_columns import LegibleField, LegibleKey
from routing.models.stored_lists import STORED_TEXTS
from routing.models.validators import PATH_VALIDATOR
from routing.protocols import PROTOCOLS
from routing.protocols.openai import OPENAI

PROTOCOL_CHOICES = [(protocol.key, protocol.label) for protocol in PROTOCOLS.values()]

PRICES = [MinValueValidator(0), MaxValueValidator(1e12)]

IN_USE = models.Q(retired_at=None)
"""Backends that something new may name: all but those that were retired."""


class Backend(Keyed):
    """A deployed model version: where it is, what it speaks, what it costs."""

    protocol = models.CharField(max_length=20, choices=PROTOCOL_CHOICES, default=OPENAI.key)
    addresses = LegibleField(shape=STORED_TEXTS, help_text="List of base addresses, like `http://10.0.0.5:8000`.")
    health_path = models.CharField(
        max_length=200, blank=True, validators=[PATH_VALIDATOR], help_text="Empty: the protocol's own."
    )
    prompt_price = models.FloatField(default=0, validators=PRICES, help_text="Price of a million prompt tokens.")
    completion_price = models.FloatField(
        default=0, validators=PRICES, help_text="Price of a million completion tokens."
    )
    registry_reference = models.CharField(
        max_length=200, blank=True, help_text="Where the model registry keeps this version."
    )
    connect_seconds = models.FloatField(
        default=3, validators=[MinValueValidator(0.1), MaxValueValidator(60)], help_text="Time limit to connect."
    )
    concurrency = models.PositiveIntegerField(
        default=0, validators=[MaxValueValidator(1_000_000)], help_text="Most requests at once; 0 means no limit."
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
        max_length=63, blank=True, validators=[KEY_VALIDATOR], help_text="Name of its file on each edge."
    )
    credential_header = models.CharField(max_length=63, default="authorization", help_text="Header that carries it.")
    credential_prefix = models.CharField(max_length=20, blank=True, default="Bearer ", help_text="Text before it.")
    retired_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When it was retired; null while it is in use."
    )

    class Meta(Keyed.Meta):
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(protocol__in=list(PROTOCOLS)), name="backend_protocol_known"),
            models.CheckConstraint(
                condition=models.Q(prompt_price__gte=0, completion_price__gte=0),
                name="backend_prices_not_negative",
            ),
        ]

    @property
    def is_over(self) -> bool:
        """Whether it needs no other backend any longer."""
        return self.retired_at is not None

    @property
    def ready_path(self) -> str:
        """What edges ask: its own health path, or that of what it speaks; none where this release knows neither."""
        protocol = PROTOCOLS.get(self.protocol)
        return self.health_path or (protocol.ready_path() if protocol else "")
