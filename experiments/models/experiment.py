"""Experiments and their variants."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from controlplane.storage.keyed import KEY_VALIDATOR
from controlplane.storage.legible_columns import LegibleField, LegibleKey
from controlplane.storage.versions import Versioned
from routing.models import IN_USE, Backend, Endpoint
from routing.models.stored_lists import STORED_CONDITIONS, STORED_GUARD, STORED_PAIRS, check_conditions
from routing.table import BUCKETS


class Kind(models.TextChoices):
    """What an experiment is for."""

    CANARY = "canary", "Canary: release a new version step by step"
    AB = "ab", "A/B test: learn which version is better"


class State(models.TextChoices):
    """Where an experiment stands."""

    DRAFT = "draft", "Draft"
    RUNNING = "running", "Running"
    PAUSED = "paused", "Paused"
    PROMOTED = "promoted", "Promoted"
    HALTED = "halted", "Halted"
    INCONCLUSIVE = "inconclusive", "Inconclusive"


LIVE_STATES = (State.RUNNING, State.PAUSED)
"""States in which the experiment's variants get traffic."""

ENDED_STATES = (State.PROMOTED, State.HALTED, State.INCONCLUSIVE)
"""States after which all users get one backend again."""


class Experiment(Versioned):
    """A pre-registered comparison on one endpoint; its version counts the changes of the draft."""

    key = models.CharField(max_length=63, unique=True, validators=[KEY_VALIDATOR])
    name = models.CharField(max_length=100)
    hypothesis = models.TextField(blank=True)
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.CANARY)
    endpoint = LegibleKey(Endpoint, on_delete=models.PROTECT, related_name="experiments")
    traffic = models.PositiveIntegerField(
        default=BUCKETS, help_text="Share of the endpoint's users that take part, in 1/10 000."
    )
    audience = LegibleField(
        shape=STORED_CONDITIONS,
        default=list,
        blank=True,
        validators=[check_conditions],
        help_text="Only requests whose headers meet all.",
    )
    guard = LegibleField(
        shape=STORED_GUARD, null=True, blank=True, default=dict, help_text="When an edge ejects a candidate."
    )
    state = models.CharField(max_length=20, choices=State.choices, default=State.DRAFT)
    state_reason = models.TextField(blank=True)
    stage_index = models.PositiveIntegerField(default=0)
    stage_entered_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    promoted_variant = models.ForeignKey(
        "Variant", on_delete=models.PROTECT, null=True, blank=True, related_name="promotions"
    )
    promoted_audience = LegibleField(
        shape=STORED_CONDITIONS,
        default=list,
        blank=True,
        help_text="Audience that it was promoted for; empty means everybody.",
    )
    created_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    next_tick_at = models.DateTimeField(null=True, blank=True, db_index=True)
    lease_token = models.PositiveBigIntegerField(
        default=0, editable=False, help_text="Number of the lease that counts."
    )
    lease_until = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When that lease ends; null once given back.",
    )

    class Meta:
        ordering = ("-created_at", "-id")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="experiment_state_known"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="experiment_kind_known"),
            models.CheckConstraint(
                condition=Q(traffic__gte=2, traffic__lte=BUCKETS), name="experiment_traffic_in_range"
            ),
            models.CheckConstraint(
                condition=Q(state=State.DRAFT) | Q(started_at__isnull=False, stage_entered_at__isnull=False),
                name="experiment_started_has_times",
            ),
            models.CheckConstraint(
                condition=Q(state=State.PROMOTED) ^ Q(promoted_variant__isnull=True),
                name="experiment_promoted_names_variant",
            ),
            models.CheckConstraint(
                condition=Q(state=State.PAUSED) ^ Q(paused_at__isnull=True), name="experiment_paused_has_time"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=ENDED_STATES) | (~Q(state_reason="") & Q(ended_at__isnull=False)),
                name="experiment_ended_has_reason_and_time",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class Pause(models.Model):
    """A time during which an experiment was paused; that of a pause which goes on is `paused_at` of the experiment."""

    experiment = models.ForeignKey(Experiment, on_delete=models.PROTECT, related_name="pauses")
    since = models.DateTimeField()
    ended_at = models.DateTimeField()

    class Meta:
        ordering = ("since",)
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ended_at__gte=models.F("since")), name="pause_ends_after_it_began"),
        ]

    def __str__(self) -> str:
        return f"pause of {self.experiment.key}"


class Variant(models.Model):
    """One arm of an experiment, bound to a backend, as its spec describes it."""

    experiment = models.ForeignKey(Experiment, on_delete=models.CASCADE, related_name="variants")
    key = models.CharField(max_length=63, validators=[KEY_VALIDATOR])
    is_control = models.BooleanField(default=False)
    backend = LegibleKey(Backend, on_delete=models.PROTECT, related_name="variants", limit_choices_to=IN_USE)
    weight = models.PositiveIntegerField()
    headers = LegibleField(shape=STORED_PAIRS, default=dict, blank=True)
    query = LegibleField(shape=STORED_PAIRS, default=dict, blank=True)

    class Meta:
        ordering = ("-is_control", "key")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=("experiment", "key"), name="variant_key_unique"),
            models.UniqueConstraint(fields=("experiment",), condition=Q(is_control=True), name="variant_one_control"),
            models.CheckConstraint(condition=Q(weight__gte=1), name="variant_weight_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.experiment.key}/{self.key}"

    @property
    def is_over(self) -> bool:
        """Whether its experiment has ended, and it needs its backend no longer."""
        return self.experiment.state in ENDED_STATES
