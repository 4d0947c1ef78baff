"""A part of a table that edges could not serve stays as it was, and keeps no other from changing."""

from dataclasses import replace

import pytest

from routing.table import (
    Access,
    AccessKey,
    Arm,
    Brake,
    BrakeKind,
    Condition,
    Endpoint,
    Issuer,
    Operator,
    Shadow,
    Table,
    Tier,
    apply_brakes,
    assemble,
    problems,
)
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table

EXPERIMENT = make_experiment("canary", Arm("control", "stable", 0, 5_000), Arm("new", "candidate", 5_000, 10_000))
CHAT = make_endpoint("chat", EXPERIMENT)
SEARCH = make_endpoint("search", path_prefix="/search")
LAST = make_table(CHAT, SEARCH, version=7)
BACKENDS = {backend.key: backend for backend in LAST.backends}

# What each of these says of the endpoint is nothing that edges can serve.
BROKEN = {
    "a tier to a backend that is gone": replace(CHAT, tiers=(Tier("easy", "gone", longest_bytes=10),)),
    "a shadow to a backend that is gone": replace(CHAT, shadows=(Shadow("try", 0, "candidate", "gone", 100),)),
    "an arm of a backend that is gone": replace(
        CHAT, experiments=(replace(EXPERIMENT, arms=(Arm("control", "gone", 0, 10),)),)
    ),
    "a backend that is gone": replace(CHAT, backend="gone"),
    "a condition that no header meets": replace(CHAT, conditions=(Condition("x y", Operator.IS, ("a",)),)),
    "an issuer that is gone": replace(CHAT, access=Access(issuer="gone")),
    "the path of another": replace(CHAT, path_prefix="/search"),
}


def taken(_: Table) -> str:
    return ""


def keys(table: Table) -> list[str]:
    return [endpoint.key for endpoint in table.endpoints]


def test_what_has_no_fault_is_taken_as_it_is() -> None:
    wanted = replace(LAST, endpoints=(replace(CHAT, timeout_seconds=5),))

    assert assemble(wanted, lambda: LAST, taken) == (wanted, ())


@pytest.mark.parametrize("broken", BROKEN.values(), ids=list(BROKEN))
def test_a_broken_endpoint_stays_as_it_was_and_others_change(broken: Endpoint) -> None:
    changed = replace(SEARCH, timeout_seconds=5)

    table, hindrances = assemble(replace(LAST, endpoints=(broken, changed)), lambda: LAST, taken)

    assert table.endpoints == (CHAT, changed)
    assert [hindrance.subject for hindrance in hindrances] == ["endpoint chat"]
    assert hindrances[0].problem.next_step


def test_a_new_endpoint_that_is_broken_is_left_out() -> None:
    new = replace(BROKEN["a backend that is gone"], key="new", path_prefix="/new")

    table, hindrances = assemble(replace(LAST, endpoints=(CHAT, new, SEARCH)), lambda: LAST, taken)

    assert table.endpoints == (CHAT, SEARCH)
    assert [hindrance.subject for hindrance in hindrances] == ["endpoint new"]


def test_an_endpoint_that_was_removed_does_not_come_back() -> None:
    table, _ = assemble(replace(LAST, endpoints=(BROKEN["a backend that is gone"],)), lambda: LAST, taken)

    assert keys(table) == ["chat"]


def test_what_nobody_can_read_stays_as_it_was() -> None:
    wanted = replace(LAST, endpoints=(SEARCH,), backends=(BACKENDS["stable"],))

    table, hindrances = assemble(
        wanted, lambda: LAST, taken, unreadable=["endpoint chat", "backend candidate", "endpoint never-there"]
    )

    assert (table.endpoints, table.backends) == (LAST.endpoints, tuple(sorted(LAST.backends, key=lambda b: b.key)))
    assert hindrances == ()


def test_a_backend_that_is_gone_comes_back_for_the_endpoint_that_names_it() -> None:
    fallback = make_backend("spare")
    last = replace(LAST, backends=(replace(BACKENDS["candidate"], fallback="spare"), fallback, BACKENDS["stable"]))

    table, hindrances = assemble(replace(last, backends=(BACKENDS["stable"],)), lambda: last, taken)

    assert table.endpoints == last.endpoints
    assert {backend.key for backend in table.backends} == {"candidate", "spare", "stable"}
    assert [hindrance.subject for hindrance in hindrances] == ["endpoint chat"]
    assert problems(table) == ()


def test_an_issuer_that_is_gone_comes_back_too() -> None:
    closed = replace(CHAT, access=Access(issuer="login"))
    last = replace(LAST, endpoints=(closed,), issuers=(Issuer("login", "https://a", (), '{"keys": [{"kty": "RSA"}]}'),))

    table, _ = assemble(replace(last, issuers=()), lambda: last, taken)

    assert (table.endpoints, table.issuers) == (last.endpoints, last.issuers)


def test_a_broken_backend_stays_as_it_was_for_all() -> None:
    broken = replace(BACKENDS["stable"], addresses=("nowhere",))

    table, hindrances = assemble(replace(LAST, backends=(broken, BACKENDS["candidate"])), lambda: LAST, taken)

    assert (table.endpoints, BACKENDS["stable"] in table.backends) == (LAST.endpoints, True)
    assert [hindrance.subject for hindrance in hindrances] == ["backend stable"]


def test_what_envoy_refuses_stays_as_it_was() -> None:
    refused = replace(CHAT, timeout_seconds=99)
    asked = []

    def refusal(table: Table) -> str:
        asked.append(table)
        return "too long" if any(endpoint.timeout_seconds == 99 for endpoint in table.endpoints) else ""

    changed = replace(SEARCH, timeout_seconds=5)
    table, [hindrance] = assemble(replace(LAST, endpoints=(refused, changed)), lambda: LAST, refusal)

    assert table.endpoints == (CHAT, changed)
    assert (hindrance.subject, hindrance.problem.code) == ("endpoint chat", "table-refused-by-envoy")
    assert "too long" in hindrance.problem.detail


def test_envoy_is_not_asked_about_each_endpoint_that_stays() -> None:
    many = tuple(make_endpoint(f"e{number}", path_prefix=f"/e{number}") for number in range(30))
    last = replace(LAST, endpoints=many)
    asked = []
    wanted = replace(last, endpoints=(*many[1:], replace(many[0], backend="gone")))

    table, _ = assemble(wanted, lambda: last, lambda table: asked.append(table) or "")  # type: ignore[func-returns-value]

    assert set(table.endpoints) == set(many)
    assert len(asked) <= 2


def test_what_is_wrong_with_no_part_alone_leaves_the_last_table() -> None:
    changed = replace(LAST, endpoints=(replace(CHAT, timeout_seconds=5), replace(SEARCH, timeout_seconds=5)))

    def refusal(table: Table) -> str:
        return "together" if len(table.endpoints) == 2 else ""

    table, hindrances = assemble(changed, lambda: LAST, refusal)

    assert table.endpoints == LAST.endpoints
    assert hindrances[-1].subject == "table"


KEYED = replace(CHAT, access=Access(keys=(AccessKey("app", "a" * 64), AccessKey("web", "b" * 64))))
COPIED = replace(SEARCH, shadows=(Shadow("try", 0, "candidate", "candidate", 100),))


def test_brakes_take_out_what_they_name_and_nothing_else() -> None:
    table = make_table(KEYED, COPIED)

    def braked(kind: BrakeKind, subject: str = "") -> tuple[Endpoint, ...]:
        return apply_brakes(table, [Brake(kind, subject)]).endpoints

    bare = replace(KEYED, experiments=())
    stopped = replace(bare, warm=("candidate",))
    assert braked(BrakeKind.EXPERIMENTS) == (stopped, replace(SEARCH, warm=("candidate",)))
    assert braked(BrakeKind.EXPERIMENTS, "chat") == (stopped, COPIED)
    assert braked(BrakeKind.EXPERIMENT, "canary") == (bare, COPIED)
    assert braked(BrakeKind.EXPERIMENT, "another") == table.endpoints
    assert braked(BrakeKind.KEY, "a" * 64) == (
        replace(KEYED, access=Access(keys=(AccessKey("web", "b" * 64),))),
        COPIED,
    )
