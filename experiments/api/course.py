"""An experiment's course as JSON."""

from math import isfinite

from rest_framework import serializers

from experiments.course.points import Effect, Pair
from experiments.course.reads import Point
from experiments.stats.core.types import Interval


class IntervalSerializer(serializers.Serializer[object]):
    """Its ends; one that is open is null."""

    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class CourseCountsSerializer(serializers.Serializer[object]):
    """What came to one variant until then."""

    requests = serializers.IntegerField()
    users = serializers.IntegerField()
    failed = serializers.IntegerField(allow_null=True, help_text="Requests that were not answered; null: not known.")


class CourseEffectSerializer(serializers.Serializer[object]):
    """One effect relative to the control; an open end of an interval is null."""

    metric = serializers.CharField()
    variant = serializers.CharField()
    effect = serializers.FloatField()
    interval = IntervalSerializer(help_text="At a single look.")
    anytime = IntervalSerializer(help_text="It holds at all times.")


class CoursePointSerializer(serializers.Serializer[object]):
    """All that had been seen by a moment."""

    at = serializers.DateTimeField()
    arms = serializers.DictField(child=CourseCountsSerializer())
    effects = CourseEffectSerializer(many=True)


def course_point(point: Point) -> dict[str, object]:
    """A point as the serializer takes it."""
    effects = [_effect(pair, effect) for pair, effect in point.content.effects.items()]
    return {"at": point.at, "arms": point.content.arms, "effects": effects}


def _effect(pair: Pair, effect: Effect) -> dict[str, object]:
    metric, variant = pair
    ends = {"interval": _ends(effect.interval), "anytime": _ends(effect.anytime)}
    return {"metric": metric, "variant": variant, "effect": effect.effect, **ends}


def _ends(interval: Interval) -> dict[str, float | None]:
    ends = {"low": interval.low, "high": interval.high}
    return {name: end if isfinite(end) else None for name, end in ends.items()}
