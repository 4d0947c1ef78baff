"""REST views of experiments: each parses, calls an action and answers."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import exceptions, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from controlplane.api.authentication import request_actor
from controlplane.api.etags import ETAG, IF_MATCH, IF_NONE_MATCH, NOT_MODIFIED, Tagged, entity_tag
from controlplane.api.idempotency import Idempotent
from controlplane.api.permissions import ReadPermission, needs
from controlplane.api.schema import BRAKE_PROBLEMS, CONDITIONAL_PROBLEMS, READ_PROBLEMS, WRITE_PROBLEMS, problem
from controlplane.models import Right
from controlplane.problems.errors import InvalidInput
from experiments.actions import verbs
from experiments.actions.create import create
from experiments.actions.delete import delete
from experiments.actions.edit_draft import changed_spec, edit_draft
from experiments.actions.promote import promote_by_hand
from experiments.api.course import CoursePointSerializer, course_point
from experiments.api.exploration import ExplorationSerializer, exploration_of
from experiments.api.serializers import (
    AnalysisSerializer,
    ConfirmedExperimentSerializer,
    DecisionSerializer,
    EdgeSplitSerializer,
    ExperimentSerializer,
    PromotionSerializer,
    ReasonSerializer,
)
from experiments.course.reads import read_course
from experiments.forecast import Forecast, Stated, forecast, read_stated
from experiments.models import Experiment, State
from experiments.plan.as_written import as_written
from experiments.plan.spec import DraftChanges, ExperimentSpec, read_spec
from experiments.presenters.edge_splits import edge_splits
from experiments.presenters.reads import experiments
from routing.api.confirmation import ConfirmationSerializer
from routing.publishing.confirmation import await_edges

READ = {200: ExperimentSerializer, **NOT_MODIFIED, **READ_PROBLEMS}
ACTED = {200: ExperimentSerializer, **CONDITIONAL_PROBLEMS}
BRAKED = {200: ExperimentSerializer, **WRITE_PROBLEMS}
CONFIRMED = {200: ConfirmedExperimentSerializer}


def verb_action(verb: verbs.ExperimentVerb) -> Callable[["ExperimentViewSet", Request, str], Response]:
    """The call that does a verb, with a reason."""

    def act(view: "ExperimentViewSet", request: Request, key: str) -> Response:
        experiment = view.get_object() if verb.is_brake else view.meant()
        verb.act(experiment, request_actor(request), _read(ReasonSerializer, request)["reason"])
        return view.confirmed(experiment) if verb.is_confirmed else view.answer(experiment)

    act.__name__, act.__doc__ = verb.name, verb.about
    described = extend_schema(
        description=verb.about,
        request=ReasonSerializer,
        parameters=[ETAG] if verb.is_brake else [IF_MATCH, ETAG],
        responses={
            **(BRAKED if verb.is_brake else ACTED),
            **(CONFIRMED if verb.is_confirmed else {}),
            **(BRAKE_PROBLEMS if verb.needs_reason else {}),
        },
    )
    return described(action(detail=True, methods=["post"], permission_classes=[needs(verb.right)])(act))


@extend_schema_view(
    list=extend_schema(
        description="All experiments, newest first.",
        parameters=[
            OpenApiParameter("state", str, enum=State.values, description="Only those in this state."),
            OpenApiParameter("endpoint", str, description="Only those on this endpoint."),
        ],
        responses={200: ExperimentSerializer(many=True), **WRITE_PROBLEMS},
    ),
    retrieve=extend_schema(
        description="One experiment: its plan, state and verdict. To copy or change it, send back what `…/spec` "
        "answers: POST and PATCH refuse what only tells of it here, like `by_default`, `frozen_at` and `broken`.",
        parameters=[IF_NONE_MATCH, ETAG],
        responses=READ,
    ),
    create=extend_schema(
        description="Create a draft.",
        request=ExperimentSpec,
        parameters=[ETAG],
        responses={201: ExperimentSerializer, **WRITE_PROBLEMS},
    ),
    partial_update=extend_schema(
        description="Change a draft. Each field that is sent replaces all of the old one; the draft is checked whole. "
        "Once it has started the plan is frozen.",
        request=DraftChanges,
        parameters=[IF_MATCH, ETAG],
        responses=ACTED,
    ),
    destroy=extend_schema(
        description="Delete a draft.", parameters=[IF_MATCH], responses={204: None, **CONDITIONAL_PROBLEMS}
    ),
)
class ExperimentViewSet(Idempotent, Tagged[Experiment], viewsets.ModelViewSet[Experiment]):
    """Experiments and their verbs."""

    queryset = experiments()
    serializer_class = ExperimentSerializer
    lookup_field = "key"
    endpoint_path = "endpoint__key"
    search_fields = ("key", "name", "hypothesis")
    http_method_names = ("get", "post", "patch", "delete", "head", "options")

    def get_queryset(self) -> QuerySet[Experiment]:
        """All experiments, or those that the query asks for."""
        found = experiments()
        state = self.request.query_params.get("state")
        endpoint = self.request.query_params.get("endpoint")
        if state is not None and state not in State.values:
            raise exceptions.ValidationError({"state": f"Use one of {', '.join(State.values)}."})
        if state is not None:
            found = found.filter(state=state)
        return found.filter(endpoint__key=endpoint) if endpoint is not None else found

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create a draft from its form."""
        experiment = create(read_spec(_mapping(request.data)), actor=request_actor(request))
        return self.answer(experiment, status.HTTP_201_CREATED)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the fields of a draft that were sent."""
        experiment, changes = self.get_object(), _mapping(request.data)
        # What would be refused anyway is refused for that reason, and not for being outdated.
        try:
            changed_spec(experiment, changes)
        except InvalidInput:
            # One that is being deleted has lost its parts, and is not wrong but gone.
            self.get_object()
            raise
        self.refuse_outdated(experiment)
        edit_draft(experiment, changes, actor=request_actor(request), version=self.version_of(experiment))
        return self.answer(experiment)

    def perform_destroy(self, instance: Experiment) -> None:
        """Delete a draft."""
        self.refuse_outdated(instance)
        delete(instance, actor=request_actor(self.request), version=self.version_of(instance))

    start = verb_action(verbs.START)
    pause = verb_action(verbs.PAUSE)
    resume = verb_action(verbs.RESUME)
    halt = verb_action(verbs.HALT)

    @extend_schema(
        description="Make a candidate the default of the experiment's audience, or with `everybody` of all others too. "
        "A reason is needed.",
        request=PromotionSerializer,
        parameters=[IF_MATCH, ETAG],
        responses={**ACTED, **CONFIRMED},
    )
    @action(detail=True, methods=["post"], permission_classes=[needs(Right.PROMOTE)])
    def promote(self, request: Request, key: str) -> Response:
        """Promote by hand."""
        experiment = self.meant()
        sent = _read(PromotionSerializer, request)
        promote_by_hand(
            experiment,
            actor=request_actor(request),
            reason=sent["reason"],
            variant=sent["variant"],
            everybody=sent["everybody"],
        )
        return self.confirmed(experiment)

    @extend_schema(
        description="The experiment as it was written down, with every default. POST takes it with another key, PATCH "
        "in parts. Its `ETag` is the experiment's.",
        parameters=[ETAG],
        responses={200: ExperimentSpec, **READ_PROBLEMS},
    )
    @action(detail=True)
    def spec(self, request: Request, key: str) -> Response:
        """What was written down."""
        experiment = self.get_object()
        tag = entity_tag(self.get_serializer(experiment).data)
        return Response(as_written(experiment), headers={"ETag": tag})

    @extend_schema(
        description="What had been seen by each of some moments, oldest first: by variant requests, users and requests "
        "that were not answered, and relative effects with their intervals. The older it is, the fewer moments are "
        "kept: one each 10 seconds for ten minutes, each minute for three hours, each hour for three days, then each "
        "day.",
        responses={200: CoursePointSerializer(many=True), **READ_PROBLEMS},
    )
    @action(detail=True, pagination_class=None)
    def course(self, request: Request, key: str) -> Response:
        """Effects, traffic and failures over time."""
        points = read_course(get_object_or_404(Experiment, key=key))
        return Response(CoursePointSerializer(map(course_point, points), many=True).data)

    @extend_schema(
        description="Effects and users by the plan's dimensions, by what a user's first request has there: to explore, "
        "as nothing is decided on them. They are computed beside the analyses, at most each minute and a hundredth of "
        "the time.",
        responses={200: ExplorationSerializer, **READ_PROBLEMS},
    )
    @action(detail=True)
    def exploration(self, request: Request, key: str) -> Response:
        """Effects by dimension."""
        return Response(exploration_of(get_object_or_404(Experiment, key=key)))

    @extend_schema(
        description="The newest analyses, and all older ones that something was decided on, newest first.",
        responses={200: AnalysisSerializer(many=True), **READ_PROBLEMS},
        filters=False,
    )
    @action(detail=True)
    def analyses(self, request: Request, key: str) -> Response:
        """What the statistics said, and when."""
        experiment = get_object_or_404(Experiment, key=key)
        return self._page(experiment.analyses.all(), AnalysisSerializer)

    @extend_schema(
        description="All decisions, newest first.",
        responses={200: DecisionSerializer(many=True), **READ_PROBLEMS},
        filters=False,
    )
    @action(detail=True)
    def decisions(self, request: Request, key: str) -> Response:
        """The chain of decisions."""
        experiment = get_object_or_404(Experiment, key=key)
        return self._page(experiment.decisions.all(), DecisionSerializer)

    @extend_schema(
        description="Forecast of the plan: users, days, and chances of each ending. Writes nothing, and takes a few "
        "seconds. Stated values count more than the last 7 days of the endpoint.",
        request=Stated,
        responses={200: Forecast, **WRITE_PROBLEMS, 503: problem("The lake cannot be read.")},
    )
    @action(detail=True, methods=["post"], permission_classes=[ReadPermission])
    def forecast(self, request: Request, key: str) -> Response:
        """What to expect, before the start."""
        found = forecast(self.get_object(), read_stated(_mapping(request.data)))
        return Response(found.model_dump(mode="json"))

    @extend_schema(
        description="Whether each edge splits users as it was told: the shares that were set, the users that it saw, "
        "and the evidence against the split, valid at any time.",
        responses={200: EdgeSplitSerializer(many=True), **READ_PROBLEMS, 503: problem("The lake cannot be read.")},
    )
    @action(detail=True, pagination_class=None)
    def edges(self, request: Request, key: str) -> Response:
        """The split of each edge."""
        return Response([asdict(split) for split in edge_splits(self.get_object())])

    def meant(self) -> Experiment:
        """The experiment, in the state that the request is meant for: what changes it compares that and swaps."""
        experiment = self.get_object()
        self.refuse_outdated(experiment)
        return experiment

    def answer(self, experiment: Experiment, status_code: int = status.HTTP_200_OK) -> Response:
        """The experiment as GET shows it."""
        return Response(ExperimentSerializer(experiments().get(pk=experiment.pk)).data, status=status_code)

    def confirmed(self, experiment: Experiment) -> Response:
        """The same, and which edges have confirmed it; the entity tag is that of the experiment alone."""
        content = self.answer(experiment).data
        edges = ConfirmationSerializer(await_edges()).data
        return Response({**content, "edges": edges}, headers={"ETag": entity_tag(content)})

    def _page(self, rows: QuerySet[Any], serializer: type[BaseSerializer[Any]]) -> Response:
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(serializer(page, many=True).data)


def _read(serializer: type[ReasonSerializer], request: Request) -> dict[str, Any]:
    """The validated body. Raises `ValidationError`."""
    sent = serializer(data=request.data)
    sent.is_valid(raise_exception=True)
    return dict(sent.validated_data)


def _mapping(data: object) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise exceptions.ValidationError({"body": "Send a JSON object."})
    return data
