"""What Envoy would refuse is refused before an edge is given it."""

from dataclasses import replace
from hashlib import sha256

import pytest

from controlplane.actors import SLUICE
from controlplane.errors import InvalidInput
from routing.actions.edit import edit
from routing.models import RoutingTable
from routing.rehearsal import refusal
from routing.table import (
    Arm,
    Credential,
    Limits,
    Parameters,
    Shadow,
    Tier,
    Unit,
    UnitSource,
    parse_condition,
    problems,
)
from tests.experiments.drafts import endpoint
from tests.routing.tables import make_backend, make_endpoint, make_experiment, make_table

TOO_LONG = "x-account is " + ", ".join(sha256(bytes([number])).hexdigest() for number in range(256)) * 2


def test_a_table_with_everything_is_taken() -> None:
    countries = parse_condition("x-country is " + ", ".join(f"{number:02}" for number in range(100)))
    colder = Parameters((("x-prompt", "100 %"),), (("temperature", "0.2"),))
    experiment = make_experiment("e", Arm("control", "stable", 0, 10), Arm("new", "candidate", 10, 20, colder))
    everything = replace(
        make_endpoint("chat", replace(experiment, audience=(countries,))),
        hosts=("*.example.com",),
        methods=("GET", "POST"),
        conditions=(parse_condition("x-a is not b"), parse_condition("x-c contains d")),
        models=("gpt 5".replace(" ", "-"), "a/b:c"),
        unit=Unit(UnitSource.BODY, "metadata.user", anonymous=True),
        rewrite="/v1",
        limits=Limits(1.5, 2.5, 3, 4_000),
        tiers=(Tier("short", "stable", (parse_condition("x-a starts with b"),), 200),),
        shadows=(Shadow("s", 0, "new", "candidate", 100),),
        holdout=500,
    )
    backends = (
        make_backend("stable", "https://models.example.com"),
        replace(make_backend("candidate"), fallback="stable", concurrency=5, credential=Credential("key")),
    )
    table = make_table(everything, backends=backends)

    assert problems(table) == ()
    assert refusal(table) == ""


def test_the_reason_is_envoys_own() -> None:
    table = make_table(replace(make_endpoint(), conditions=(parse_condition(TOO_LONG),)))

    assert problems(table) == ()
    assert "max program size" in refusal(table)


@pytest.mark.django_db
def test_what_envoy_would_refuse_is_neither_saved_nor_published() -> None:
    chat = endpoint()
    published = RoutingTable.objects.count()
    chat.conditions = [TOO_LONG]

    with pytest.raises(InvalidInput) as error:
        edit(chat, actor=SLUICE)

    assert error.value.code == "table-refused-by-envoy"
    chat.refresh_from_db()
    assert (chat.conditions, RoutingTable.objects.count()) == ([], published)
