"""Whom an experiment is for, and what its variants change of requests, reaches the routing table."""

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.problems.errors import InvalidInput
from experiments.actions.start import start
from experiments.plan.spec import read_spec
from routing.publishing.newest_table import desired_table
from routing.table import Condition, Operator, Parameters
from tests.factories.drafts import draft, draft_data

pytestmark = pytest.mark.django_db

BETTER = {"key": "better", "backend": "candidate"}


def test_the_audience_and_the_parameters_are_in_the_table() -> None:
    colder = {**BETTER, "headers": {"x-prompt": "v2"}, "query": {"temperature": "0.2"}}
    experiment = draft(audience=["x-country is DE, FR", "x-beta is present"], candidates=[colder])

    start(experiment, actor=SLUICE)

    [running] = desired_table(version=1).endpoints[0].experiments
    assert running.audience == (
        Condition("x-country", Operator.IS, ("DE", "FR")),
        Condition("x-beta", Operator.PRESENT),
    )
    parameters = {arm.variant: arm.parameters for arm in running.arms}
    assert parameters["control"] == Parameters()
    assert parameters["better"] == Parameters((("x-prompt", "v2"),), (("temperature", "0.2"),))


def test_a_condition_that_is_none_is_named() -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_spec(draft_data(audience=["country = DE"]))

    [problem] = refusal.value.problems
    assert problem.field == "audience.0"
    assert "`x-country is DE, FR`" in problem.message


def test_a_header_that_no_variant_may_set_keeps_it_a_draft() -> None:
    experiment = draft(candidates=[{**BETTER, "headers": {"x-sluice-variant": "other"}}])

    with pytest.raises(InvalidInput) as refusal:
        start(experiment, actor=SLUICE)

    assert refusal.value.code == "parameter-invalid"
    experiment.refresh_from_db()
    assert experiment.state == "draft"
