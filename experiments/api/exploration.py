"""What was explored of an experiment, as JSON."""

from dataclasses import asdict
from typing import Any

from rest_framework import serializers

from experiments.api.course import IntervalSerializer
from experiments.exploration.reads import read_exploration
from experiments.models import Experiment


class SegmentSplitSerializer(serializers.Serializer[object]):
    """Users by variant whose first request had a value."""

    dimension = serializers.CharField()
    value = serializers.CharField()
    units = serializers.DictField(child=serializers.IntegerField())
    log_e_value = serializers.FloatField(help_text="Evidence against the shares that were set, at any time.")
    mismatch = serializers.BooleanField(
        help_text="Whether they did not arrive in these, corrected for all values of all dimensions."
    )


class SegmentEffectSerializer(serializers.Serializer[object]):
    """One metric of one candidate beside the control, among the users of one value."""

    dimension = serializers.CharField()
    value = serializers.CharField()
    metric = serializers.CharField()
    variant = serializers.CharField()
    control_value = serializers.FloatField(allow_null=True)
    variant_value = serializers.FloatField(allow_null=True)
    effect = serializers.FloatField(allow_null=True, help_text="Candidate minus control, in the metric's unit.")
    relative = serializers.FloatField(allow_null=True, help_text="The same as a share of the control's value.")
    interval = IntervalSerializer(allow_null=True, help_text="Of the effect, at a single look.")
    relative_interval = IntervalSerializer(allow_null=True)
    p_value = serializers.FloatField(allow_null=True, help_text="Two-sided, against no difference, at a single look.")
    adjusted_p_value = serializers.FloatField(
        allow_null=True, help_text="By Benjamini and Hochberg, over all that is compared here."
    )
    note = serializers.CharField(help_text="Why something is null; empty where nothing is.")


class SplitProblemSerializer(serializers.Serializer[object]):
    """What is wrong with the split of users."""

    code = serializers.CharField()
    detail = serializers.CharField()
    next_step = serializers.CharField()


class ExplorationSerializer(serializers.Serializer[object]):
    """Effects and users by dimension and value as of a moment, which is null before the first time."""

    at = serializers.DateTimeField(allow_null=True)
    splits = SegmentSplitSerializer(many=True)
    effects = SegmentEffectSerializer(many=True)
    problems = SplitProblemSerializer(many=True)


def exploration_of(experiment: Experiment) -> dict[str, Any]:
    """What is stored of an experiment, as it is told."""
    found = read_exploration(experiment)
    return dict(ExplorationSerializer({"at": found.at, **asdict(found.content)}).data)
