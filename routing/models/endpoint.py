"""What users call."""

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from controlplane.storage.keyed import Keyed
from controlplane.storage.legible_columns import LegibleField, LegibleKey
from routing.models.backend import IN_USE, Backend
from routing.models.issuer import Issuer
from routing.models.layer import Layer
from routing.models.stored_lists import (
    STORED_CONDITIONS,
    STORED_PAIRS,
    STORED_RATE_LIMITS,
    STORED_RULES,
    STORED_SHADOWS,
    STORED_TEXTS,
    STORED_TIERS,
    check_conditions,
    check_headers,
    check_networks,
    check_query,
    check_rate_limits,
    check_rules,
    check_shadows,
    check_texts,
    check_tiers,
)
from routing.models.validators import LONGEST_SECONDS, PATH_VALIDATOR, SECONDS
from routing.table import LARGEST_BODY


class UnitSource(models.TextChoices):
    """Where an endpoint finds the unit of a request."""

    HEADER = "header", "Request header"
    COOKIE = "cookie", "Cookie"
    BODY = "body", "Field of the JSON body"
    CLAIM = "claim", "Claim of the token"


class Entrance(models.TextChoices):
    """What an endpoint asks of who calls it."""

    OPEN = "open", "Nothing"
    KEY = "key", "A key"
    TOKEN = "token", "A token"
    EITHER = "either", "A key or a token"


class Endpoint(Keyed):
    """The public name that clients call, and the backend that answers when no experiment says otherwise."""

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
        help_text="Kept warm; a switch makes it the default backend.",
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
        help_text="Audiences that get another backend, headers or query parameters; the first that fits counts.",
    )
    timeout_seconds = models.PositiveIntegerField(
        default=300,
        validators=[MaxValueValidator(LONGEST_SECONDS)],
        help_text="Time limit of a whole answer; 0 means no limit.",
    )
    anonymous = models.BooleanField(default=False, help_text="Users without an id get one from the edge, in a cookie.")
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
        default=0, validators=SECONDS, help_text="Time limit until the answer begins; 0 means no limit."
    )
    idle_seconds = models.FloatField(
        default=0,
        validators=SECONDS,
        help_text="Time limit of silence within an answer; 0: that of a whole answer, or else 300.",
    )
    retries = models.PositiveSmallIntegerField(
        default=1, validators=[MaxValueValidator(5)], help_text="Further attempts while no backend saw the request."
    )
    body_bytes = models.PositiveIntegerField(
        default=0, validators=[MaxValueValidator(LARGEST_BODY)], help_text="Largest request in bytes; 0 means no limit."
    )
    entrance = models.CharField(
        max_length=10, choices=Entrance.choices, default=Entrance.OPEN, help_text="What callers have to show."
    )
    issuer = LegibleKey(
        Issuer,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="endpoints",
        help_text="Issuer of the tokens that it takes.",
    )
    test_networks = LegibleField(
        shape=STORED_TEXTS,
        default=list,
        blank=True,
        validators=[check_networks],
        help_text="Who calls from these may force a variant and be explained to.",
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
    kept_percent = models.FloatField(
        default=100,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text="Of users whom no experiment takes, so many per cent have their requests kept in the lake.",
    )

    class Meta(Keyed.Meta):
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(unit_source__in=UnitSource.values), name="endpoint_unit_source_known"
            ),
            models.CheckConstraint(
                condition=models.Q(kept_percent__gte=0, kept_percent__lte=100), name="endpoint_kept_percent_in_range"
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

    @property
    def belongs_to(self) -> str:
        """To itself."""
        return self.key

    def clean(self) -> None:
        """Refuse a standby that is the backend itself. Raises Django's `ValidationError`."""
        if self.standby_id is not None and self.standby_id == self.backend_id:
            raise ValidationError({"standby": "The standby is another backend than the default one."})
