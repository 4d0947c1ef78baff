"""Experiments whose guardrails would guard nothing: refused when they are written down, and when they start, as
backends, endpoints and metrics change between.
"""

from controlplane.problems.errors import Conflict, FieldProblem, InvalidInput
from experiments.metrics import covariates, margins, variant_protocols
from experiments.models import Experiment
from routing.models import Backend


def refuse_idle_guards(experiment: Experiment, refusal: type[InvalidInput] | type[Conflict]) -> None:
    """Raise the refusal with each field that is to blame.

    It is `kinds-differ`, `margin-of-all` or `never-counts`, and `no-covariate` where a metric could not be adjusted.
    """
    kinds = variant_protocols.kinds_that_differ(experiment.endpoint, *_backends(experiment))
    _refuse(refusal, variant_protocols.KINDS_DIFFER, kinds, variant_protocols.NEXT_STEP)
    plan_metrics = list(experiment.plan.metrics.select_related("metric", "plan__experiment__endpoint"))
    _refuse(refusal, margins.MARGIN_OF_ALL, margins.margins_of_all(plan_metrics), margins.NEXT_STEP)
    _refuse(refusal, margins.NEVER_COUNTS, margins.never_counting(plan_metrics), margins.COUNT_SOONER)
    _refuse(refusal, covariates.NO_COVARIATE, covariates.without_past(plan_metrics), covariates.NEXT_STEP)


def _backends(experiment: Experiment) -> tuple[Backend, list[tuple[str, Backend]]]:
    """The control's, and the candidates' by the field that names it, in the order in which they were written down."""
    variants = experiment.variants.select_related("backend").order_by("pk")
    candidates = [variant.backend for variant in variants if not variant.is_control]
    control = next(variant.backend for variant in variants if variant.is_control)
    return control, [(f"candidates.{number}.backend", backend) for number, backend in enumerate(candidates)]


def _refuse(
    refusal: type[InvalidInput] | type[Conflict], code: str, problems: tuple[FieldProblem, ...], next_step: str
) -> None:
    if problems:
        raise refusal(code, problems[0].message, next_step=next_step, problems=problems)
