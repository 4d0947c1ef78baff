"""Experiments, analyses and decisions as JSON."""

from functools import cached_property
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from controlplane.api.fields import LegibleModelSerializer, StrictSerializer
from experiments.api.spec_serializers import SpecModelSerializer
from experiments.models import Analysis, Decision, Experiment, MetricEdition, Plan, PlanMetric, Stage, Variant
from experiments.models.experiment import LIVE_STATES
from experiments.models.metric import MEANING
from experiments.plan.as_written import in_order
from experiments.plan.spec import MetricSpec, PlanSpec, StageSpec, VariantSpec
from experiments.presenters.broken_rows import what_is_broken
from experiments.presenters.reads import verdict
from routing.api.confirmation import ConfirmationSerializer
from routing.api.kill_switch_state import StopSerializer
from routing.kill_switch.stops import OpenStops, open_stops
from routing.table import BasisPoints


class VariantSerializer(SpecModelSerializer[Variant]):
    """One arm."""

    spec = VariantSpec

    backend = serializers.SlugRelatedField[Any](slug_field="key", read_only=True)

    class Meta:
        model = Variant
        fields = tuple(VariantSpec.model_fields)


class StageSerializer(SpecModelSerializer[Stage]):
    """One step of the ramp; coverage in per cent."""

    spec = StageSpec

    coverage = serializers.SerializerMethodField()

    class Meta:
        model = Stage
        fields = tuple(StageSpec.model_fields)

    def get_coverage(self, stage: Stage) -> float:
        """In per cent, as in the form."""
        return BasisPoints(stage.coverage).percent


class MeaningSerializer(serializers.ModelSerializer[MetricEdition]):
    """How a metric is computed: in a plan that was started, as it was then."""

    type = serializers.CharField()
    direction = serializers.CharField()

    class Meta:
        model = MetricEdition
        fields = MEANING


class PlanMetricSerializer(SpecModelSerializer[PlanMetric]):
    """A metric's part in the plan."""

    spec = MetricSpec

    metric = serializers.SlugRelatedField[Any](slug_field="key", read_only=True)
    edition = serializers.IntegerField(
        source="edition.number",
        default=None,
        read_only=True,
        allow_null=True,
        help_text="Which edition of the metric's meaning the plan was started with; null before, and for default "
        "guardrails.",
    )

    meaning = MeaningSerializer(read_only=True)

    class Meta:
        model = PlanMetric
        fields = (*MetricSpec.model_fields, "by_default", "edition", "meaning")


class PlanSerializer(LegibleModelSerializer[Plan], SpecModelSerializer[Plan]):
    """The plan; frozen once the experiment has started."""

    spec = PlanSpec
    stages = StageSerializer(many=True)
    metrics = PlanMetricSerializer(many=True)

    class Meta:
        model = Plan
        fields = (*PlanSpec.model_fields, "frozen_at", "broken")


class StagePositionSerializer(serializers.Serializer[Experiment]):
    """Which stage a live experiment is on."""

    number = serializers.IntegerField()
    of = serializers.IntegerField()
    coverage = serializers.FloatField(help_text="In per cent.")
    entered_at = serializers.DateTimeField()


class ExperimentSerializer(LegibleModelSerializer[Experiment]):
    """An experiment with its plan, its state and its verdict in words."""

    endpoint = serializers.SlugRelatedField[Any](slug_field="key", read_only=True)
    promoted_variant = serializers.SlugRelatedField[Any](slug_field="key", read_only=True, allow_null=True)
    traffic = serializers.SerializerMethodField(help_text="Per cent of the endpoint's users that take part.")
    stage = serializers.SerializerMethodField()
    verdict = serializers.SerializerMethodField()
    control = serializers.SerializerMethodField()
    candidates = serializers.SerializerMethodField()
    plan = PlanSerializer()
    stopped = serializers.SerializerMethodField()

    class Meta:
        model = Experiment
        fields: tuple[str, ...] = (
            "key",
            "name",
            "hypothesis",
            "kind",
            "endpoint",
            "traffic",
            "audience",
            "guard",
            "state",
            "state_reason",
            "stopped",
            "verdict",
            "stage",
            "control",
            "candidates",
            "plan",
            "promoted_variant",
            "promoted_audience",
            "created_at",
            "created_by",
            "started_at",
            "ended_at",
            "broken",
        )

    @cached_property
    def _stops(self) -> OpenStops:
        return open_stops()

    def get_broken(self, experiment: Experiment) -> str:
        """A sentence; empty for a sound one."""
        return what_is_broken(experiment)

    def get_traffic(self, experiment: Experiment) -> float:
        """In per cent, as in the form."""
        return BasisPoints(experiment.traffic).percent

    def get_verdict(self, experiment: Experiment) -> str:
        """One sentence."""
        return verdict(experiment)

    @extend_schema_field(StopSerializer(allow_null=True))
    def get_stopped(self, experiment: Experiment) -> dict[str, Any] | None:
        """By what kill switch a live experiment is stopped; None when it is not."""
        stop = self._stops.of(experiment.endpoint_id) if experiment.state in LIVE_STATES else None
        return dict(StopSerializer(stop).data) if stop else None

    @extend_schema_field(StagePositionSerializer(allow_null=True))
    def get_stage(self, experiment: Experiment) -> dict[str, Any] | None:
        """None before the start."""
        if experiment.stage_entered_at is None:
            return None
        stages = list(experiment.plan.stages.all())
        position: Any = {
            "number": experiment.stage_index + 1,
            "of": len(stages),
            "coverage": BasisPoints(stages[experiment.stage_index].coverage).percent,
            "entered_at": experiment.stage_entered_at,
        }
        return dict(StagePositionSerializer(position).data)

    @extend_schema_field(VariantSerializer)
    def get_control(self, experiment: Experiment) -> dict[str, Any]:
        """The control."""
        controls = [variant for variant in experiment.variants.all() if variant.is_control]
        return dict(VariantSerializer(controls[0]).data)

    @extend_schema_field(VariantSerializer(many=True))
    def get_candidates(self, experiment: Experiment) -> list[Any]:
        """The candidates, in the order in which they were written down."""
        candidates = [variant for variant in in_order(experiment) if not variant.is_control]
        return list(VariantSerializer(candidates, many=True).data)


class ConfirmedExperimentSerializer(ExperimentSerializer):
    """An experiment that was just changed, and which edges have confirmed it."""

    edges = ConfirmationSerializer(source="*")

    class Meta(ExperimentSerializer.Meta):
        fields = (*ExperimentSerializer.Meta.fields, "edges")


class AnalysisSerializer(LegibleModelSerializer[Analysis]):
    """What the statistics said at one moment, and on which data."""

    class Meta:
        model = Analysis
        fields = (
            "id",
            "at",
            "look",
            "stage_index",
            "results",
            "evidence",
            "lake_version",
            "table_version",
            "code_version",
            "broken",
        )


class DecisionSerializer(LegibleModelSerializer[Decision]):
    """One link of the chain of decisions."""

    variant = serializers.CharField(source="variant_key")

    class Meta:
        model = Decision
        fields = (
            "sequence",
            "kind",
            "code",
            "reason",
            "actor",
            "at",
            "stage_index",
            "variant",
            "analysis",
            "evidence",
            "previous_hash",
            "hash",
        )


class ReasonSerializer(serializers.Serializer[object]):
    """Why something is done."""

    reason = serializers.CharField(required=False, allow_blank=True, max_length=10_000, default="")


class PromotionSerializer(StrictSerializer, ReasonSerializer):
    """Why, and which candidate; it may be left out when there is only one."""

    variant = serializers.CharField(required=False, allow_blank=True, max_length=63, default="")
    everybody = serializers.BooleanField(
        required=False, default=False, help_text="Also for those outside of the experiment's audience."
    )


class EdgeSplitSerializer(serializers.Serializer[object]):
    """The shares that were set, and the units that one edge saw."""

    edge = serializers.CharField()
    shares = serializers.DictField(child=serializers.FloatField())
    units = serializers.DictField(child=serializers.IntegerField())
    e_value_log10 = serializers.FloatField(help_text="Evidence against the split; 3 is a thousand to one.")
    drifts = serializers.BooleanField()
