"""Tables in which Sluice finds no problem are taken by the real Envoy."""

from collections.abc import Callable, Hashable
from dataclasses import replace
from operator import attrgetter
from typing import TypeVar

from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from routing.publishing.envoy_validation import refusal
from routing.table import (
    Access,
    AccessKey,
    Arm,
    Backend,
    Condition,
    Credential,
    Endpoint,
    Guard,
    Limits,
    Operator,
    Parameters,
    RateLimit,
    RateLimitScope,
    Rule,
    RunningExperiment,
    Shadow,
    Table,
    Tier,
    Unit,
    UnitSource,
    problems,
)

PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp", "Zs"]), min_size=1, max_size=12)
NAMES = st.from_regex(r"\A[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?\Z")
HEADERS = st.from_regex(r"\Ax[a-z0-9_.-]{1,8}\Z")
PATHS = st.from_regex(r"\A/[!\"$->@-~]{0,12}\Z")
FIELDS = st.from_regex(r"\A[a-zA-Z0-9_-]{1,8}(\.[a-zA-Z0-9_-]{1,8}){0,2}\Z")
HOSTS = st.from_regex(r"\A(\*\.)?[a-z0-9]([a-z0-9.-]{0,8}[a-z0-9])?\Z")
MODELS = st.from_regex(r"\A[!-~]{1,12}\Z")
SECONDS = st.floats(0, 3600) | st.just(0.0)
BACKENDS = ("stable", "candidate")
CONDITIONS = st.builds(
    Condition,
    HEADERS,
    st.sampled_from([Operator.IS, Operator.IS_NOT, Operator.STARTS_WITH, Operator.CONTAINS]),
    st.lists(PRINTABLE, min_size=1, max_size=4).map(tuple),
) | st.builds(Condition, HEADERS, st.sampled_from([Operator.PRESENT, Operator.ABSENT]))
PARAMETERS = st.builds(
    Parameters,
    st.lists(st.tuples(HEADERS, PRINTABLE), max_size=2).map(tuple),
    st.lists(st.tuples(PRINTABLE, PRINTABLE), max_size=2).map(tuple),
)


Drawn = TypeVar("Drawn")


def some(
    drawn: st.SearchStrategy[Drawn], by: Callable[[Drawn], Hashable] = hash
) -> st.SearchStrategy[tuple[Drawn, ...]]:
    return st.lists(drawn, max_size=2, unique_by=by).map(tuple)


@st.composite
def experiments(draw: st.DrawFn, key: str, start: int) -> RunningExperiment:
    cuts = sorted(draw(st.lists(st.integers(start, start + 4_000), min_size=4, max_size=4, unique=True)))
    arms = tuple(
        Arm(variant, draw(st.sampled_from(BACKENDS)), cuts[2 * place], cuts[2 * place + 1], draw(PARAMETERS))
        for place, variant in enumerate(("control", "new"))
    )
    coverage = draw(st.integers(0, 10_000))
    return RunningExperiment(key, draw(st.integers(0, 9)), coverage, arms, draw(some(CONDITIONS)), Guard())


@st.composite
def endpoints(draw: st.DrawFn, key: str) -> Endpoint:
    keys = st.builds(AccessKey, NAMES, st.from_regex(r"\A[0-9a-f]{64}\Z"))
    kind = draw(st.sampled_from([UnitSource.HEADER, UnitSource.COOKIE, UnitSource.BODY]))
    unit = Unit(kind, draw(FIELDS if kind is UnitSource.BODY else HEADERS), draw(st.booleans()))
    ran = [draw(experiments(f"{key}-{place}", 4_000 * place)) for place in range(draw(st.integers(0, 2)))]
    tiers = st.builds(Tier, NAMES, st.sampled_from(BACKENDS), some(CONDITIONS), st.integers(1, 10_000))
    shadows = st.builds(Shadow, NAMES, st.just(0), NAMES, st.sampled_from(BACKENDS), st.integers(1, 10_000))
    rules = st.builds(Rule, NAMES, st.sampled_from(BACKENDS), some(CONDITIONS), PARAMETERS)
    scopes = st.sampled_from([RateLimitScope.ENDPOINT, RateLimitScope.UNIT])
    rate_limits = st.builds(RateLimit, st.integers(1, 10**9), st.integers(1, 86_400), scopes)
    return Endpoint(
        key,
        draw(PATHS),
        unit,
        draw(PRINTABLE),
        draw(st.sampled_from(BACKENDS)),
        draw(st.integers(0, 3600)),
        tuple(ran),
        hosts=draw(some(HOSTS)),
        methods=draw(some(st.sampled_from(["GET", "POST", "PUT"]))),
        conditions=draw(some(CONDITIONS)),
        models=draw(some(MODELS)),
        rewrite=draw(st.none() | PATHS),
        limits=Limits(draw(SECONDS), draw(SECONDS), draw(st.integers(0, 5)), draw(st.integers(0, 32 << 20))),
        tiers=draw(some(tiers, attrgetter("key"))),
        shadows=draw(some(shadows)),
        holdout=draw(st.integers(0, 2_000)),
        access=draw(st.none() | st.builds(Access, some(keys))),
        rate_limits=draw(some(rate_limits, attrgetter("scope"))),
        parameters=draw(PARAMETERS),
        rules=draw(some(rules, attrgetter("key"))),
    )


@st.composite
def tables(draw: st.DrawFn) -> Table:
    addresses = st.from_regex(r"\Ahttps?://[a-z0-9]{1,8}(\.[a-z]{2,5})?:[1-9][0-9]{0,3}\Z")
    prices = st.floats(0, 1e6)
    backend = st.builds(
        Backend,
        st.just(""),
        st.sampled_from(["openai", "http", "triton", "vllm"]),
        st.tuples(addresses),
        PATHS,
        prices,
        prices,
        st.floats(0.01, 60),
        st.integers(0, 1_000),
        st.none() | st.builds(Credential, NAMES, st.from_regex(r"\A[a-z][a-z0-9-]{1,8}\Z"), PRINTABLE),
        http2=st.booleans(),
    )
    found = tuple(replace(draw(backend), key=key) for key in BACKENDS)
    named = tuple(draw(endpoints(f"endpoint-{place}")) for place in range(draw(st.integers(1, 3))))
    return Table(draw(st.integers(0, 2**63 - 1)), named, found)


@given(tables())
@settings(max_examples=25, phases=[Phase.explicit, Phase.generate])
def test_what_sluice_finds_sound_envoy_takes(table: Table) -> None:
    assume(problems(table) == ())

    assert refusal(table) == ""
