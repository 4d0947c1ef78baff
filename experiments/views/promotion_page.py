"""The guarded promotion: first what it changes and for how many users, then the button."""

from collections import Counter
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from controlplane.models import Right
from controlplane.web.pages import accepted, acting, page, requires
from controlplane.web.shares import percent
from experiments.actions.promote import promote_by_hand
from experiments.forms.experiment_forms import PromotionForm
from experiments.lifecycle.promoted import given_by
from experiments.models import Experiment, Variant
from experiments.models.experiment import State
from experiments.presenters.page_reads import find_experiment
from experiments.presenters.seen import seen
from experiments.stored_results import read_counts
from experiments.views.broken_page import as_far_as_it_can_be_read
from experiments.views.refuse_unseen import refuse_unseen
from routing.models import stored_lists
from routing.publishing.wanted_table import wanted_endpoint
from routing.resources.defaults import Default, default_of, rules_beside, with_default
from routing.table import BasisPoints, Condition, Endpoint, Segment, segments
from routing.views.confirmation import tell_confirmation

PROMOTABLE = (State.RUNNING, State.PAUSED, State.INCONCLUSIVE)


@dataclass(frozen=True, slots=True)
class DefaultShare:
    """The share of those concerned who get one backend with its parameters, now and after the promotion."""

    default: str
    now: str
    after: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A candidate that a person may promote: for the experiment's audience, or for everybody."""

    experiment: Experiment
    variant: Variant
    everybody: bool

    @property
    def audience(self) -> list[str]:
        """Conditions of those whom it concerns; none: everybody."""
        return [] if self.everybody else self.experiment.audience

    @property
    def default(self) -> Default:
        """What they would get."""
        return given_by(self.variant).over(default_of(self.experiment.endpoint, self.experiment.audience))

    @property
    def kept_rules(self) -> list[dict[str, Any]]:
        """Rules whose users keep what they have."""
        return [] if self.audience else rules_beside(self.experiment.endpoint, self.experiment.audience)

    def endpoint_after(self) -> Endpoint | None:
        """The endpoint as the table would have it; None where nobody can read it."""
        endpoint, experiment = copy(self.experiment.endpoint), self.experiment
        given, audience = given_by(self.variant), experiment.audience
        changes = with_default(endpoint, given, audience=audience, everybody=self.everybody, key=experiment.key)
        for name, value in changes.items():
            setattr(endpoint, name, value)
        found = wanted_endpoint(endpoint)
        if found is None:
            return None
        others = tuple(running for running in found.experiments if running.key != experiment.key)
        return replace(found, experiments=others)


@require_http_methods(["GET", "POST"])
@requires(Right.PROMOTE)
@as_far_as_it_can_be_read
def experiment_promote(request: HttpRequest, key: str) -> HttpResponse:
    """Show the change, and make it when it is confirmed with a reason."""
    experiment = find_experiment(key)
    if experiment.state not in PROMOTABLE:
        messages.error(request, f"An experiment whose state is {experiment.state} cannot be promoted.")
        return redirect("experiment-detail", key=key)
    proposal = _proposal(experiment, request)
    form = PromotionForm(request.POST or None)
    if form.is_valid() and accepted(form, lambda: _promote(proposal, form, request)):
        messages.success(request, f"Promoted. {_whose(proposal)} get {proposal.default} within a second.")
        tell_confirmation(request)
        return redirect("experiment-detail", key=key)
    return page(request, "experiments/promote.html", {"form": form, **_context(proposal)})


def _proposal(experiment: Experiment, request: HttpRequest) -> Proposal:
    asked = {**request.GET.dict(), **request.POST.dict()}
    candidates = [variant for variant in experiment.variants.all() if not variant.is_control]
    chosen = next((variant for variant in candidates if variant.key == asked.get("variant")), candidates[0])
    return Proposal(experiment, chosen, everybody=bool(experiment.audience and asked.get("everybody")))


def _whose(proposal: Proposal) -> str:
    """Whom it concerns, at the start of a sentence."""
    if proposal.audience:
        return f"Users who meet {' and '.join(proposal.audience)}"
    return "Users whom no rule concerns" if proposal.kept_rules else "All users"


def _promote(proposal: Proposal, form: PromotionForm, request: HttpRequest) -> None:
    refuse_unseen(request, proposal.experiment)
    promote_by_hand(
        proposal.experiment,
        actor=acting(request),
        reason=form.cleaned_data["reason"],
        variant=proposal.variant.key,
        everybody=proposal.everybody,
    )


def _context(proposal: Proposal) -> dict[str, object]:
    experiment, endpoint = proposal.experiment, proposal.experiment.endpoint
    return {
        "experiment": experiment,
        "seen": seen(experiment),
        "proposal": proposal,
        "chosen": proposal.variant,
        "candidates": [variant for variant in experiment.variants.all() if not variant.is_control],
        "today": default_of(endpoint, proposal.audience),
        "shares": _shares(proposal),
        "others": endpoint.splits.exclude(experiment=experiment.key).values_list("experiment", flat=True),
        "users": None if proposal.everybody or proposal.kept_rules else _all_users(experiment),
    }


def _shares(proposal: Proposal) -> list[DefaultShare]:
    """How those whom it concerns are divided, before and after; empty where nobody can read it."""
    today, after_it = wanted_endpoint(proposal.experiment.endpoint), proposal.endpoint_after()
    if today is None or after_it is None:
        return []
    conditions = stored_lists.conditions(proposal.audience)
    now, after = _weights(today, conditions), _weights(after_it, conditions)
    return [
        DefaultShare(default, percent(BasisPoints(now[default]).share), percent(BasisPoints(after[default]).share))
        for default in sorted(now | after)
    ]


def _weights(endpoint: Endpoint, met: Sequence[Condition]) -> Counter[str]:
    """Buckets by what they get, of users who meet just these conditions."""
    experiments = [experiment for experiment in endpoint.experiments if set(experiment.audience) <= set(met)]
    rule = next((rule for rule in endpoint.rules if set(rule.conditions) <= set(met)), None)
    weights: Counter[str] = Counter()
    for segment in segments(endpoint, experiments, rule):
        weights[_words(segment)] += segment.weight
    return weights


def _words(segment: Segment) -> str:
    return str(Default(segment.backend, dict(segment.parameters.headers), dict(segment.parameters.query)))


def _all_users(experiment: Experiment) -> int | None:
    """Users of the experiment's audience, extrapolated from those who were measured; None when nobody was."""
    analysis = experiment.analyses.first()
    measured = sum(read_counts(analysis.evidence).units.values()) if analysis else 0
    stage = experiment.plan.stages.all()[experiment.stage_index]
    covered = BasisPoints(stage.coverage).share * BasisPoints(experiment.traffic).share
    return round(measured / covered) if measured else None
