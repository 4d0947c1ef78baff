"""Each way in which a table cannot be served is named."""

from dataclasses import replace

import pytest

from controlplane.problems.problem import Problem
from routing import table as tables
from routing.table import (
    MOST_RULES,
    Access,
    AccessKey,
    Arm,
    Backend,
    Condition,
    Credential,
    Endpoint,
    Guard,
    Issuer,
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
from tests.factories.tables import make_backend, make_endpoint, make_experiment, make_table

BETA = (Condition("x-beta", Operator.PRESENT),)
NOT_TO_BE_SET = (
    "Host",
    "content-length",
    "Transfer-Encoding",
    "connection",
    "x-sluice-variant",
    "x-envoy-a",
    "x a",
    "",
)
CONTROL = Arm("control", "stable", 0, 5_000)
CANDIDATE = Arm("candidate", "candidate", 5_000, 10_000)


def backend(**changes: object) -> Table:
    changed: Backend = replace(make_backend("stable"), **changes)  # type: ignore[arg-type]
    return make_table(backends=(changed,))


def endpoint(**changes: object) -> Table:
    changed: Endpoint = replace(make_endpoint(), **changes)  # type: ignore[arg-type]
    return make_table(changed)


def experiment(**changes: object) -> Table:
    changed: RunningExperiment = replace(make_experiment("new-model", CONTROL, CANDIDATE), **changes)  # type: ignore[arg-type]
    return make_table(make_endpoint("chat", changed))


def header(name: str) -> Table:
    return endpoint(unit=Unit(UnitSource.HEADER, name))


def body(name: str) -> Table:
    return endpoint(unit=Unit(UnitSource.BODY, name))


OVERLAPPING = make_endpoint(
    "chat",
    make_experiment("one", CONTROL, CANDIDATE),
    make_experiment("two", Arm("control", "stable", 9_999, 10_000)),
)
MANY_AUDIENCES = make_endpoint(
    "chat",
    *(
        replace(
            make_experiment(f"e{number}", Arm("control", "stable", number, number + 1)),
            audience=(Condition("x-plan", Operator.IS, (str(number),)),),
        )
        for number in range(5)
    ),
)
KEY_SET = '{"keys": [{"kty": "RSA"}]}'
SMALL = replace(make_endpoint("a"), limits=Limits(body_bytes=10))
IN_TWO_PLACES = make_table(
    make_endpoint("chat", make_experiment("one", CONTROL)),
    make_endpoint("search", make_experiment("one", CONTROL), path_prefix="/search"),
)

BROKEN = [
    (replace(make_table(), version=-1), "version-invalid"),
    (make_table(backends=(make_backend("stable"), make_backend("stable"))), "backend-duplicate"),
    (make_table(make_endpoint(), make_endpoint(path_prefix="/other")), "endpoint-duplicate"),
    (make_table(make_endpoint("one"), make_endpoint("two")), "match-duplicate"),
    (IN_TWO_PLACES, "experiment-duplicate"),
    (backend(key="Stable"), "key-invalid"),
    (backend(key="-stable"), "key-invalid"),
    (backend(key="s" * 64), "key-invalid"),
    (backend(addresses=()), "address-missing"),
    (backend(addresses=("http://one:1", "http://one:1")), "address-duplicate"),
    (backend(addresses=("http://one:1", "HTTPS://two:1")), "addresses-mixed"),
    (backend(protocol="telepathy"), "protocol-unknown"),
    (backend(health_path="health"), "health-path-invalid"),
    (backend(health_path="/a b"), "health-path-invalid"),
    (backend(prompt_price=-1.0), "price-invalid"),
    (backend(completion_price=float("nan")), "price-invalid"),
    (endpoint(key="über"), "key-invalid"),
    (endpoint(backend="gone"), "backend-unknown"),
    (endpoint(timeout_seconds=-1), "timeout-invalid"),
    (endpoint(path_prefix="chat"), "path-prefix-invalid"),
    (endpoint(path_prefix="/ch at"), "path-prefix-invalid"),
    (endpoint(path_prefix="/chat?a=1"), "path-prefix-invalid"),
    (endpoint(path_prefix="/.sluice"), "path-prefix-reserved"),
    (endpoint(path_prefix="/.sluice/table"), "path-prefix-reserved"),
    (header(""), "unit-name-invalid"),
    (header("x user"), "unit-name-invalid"),
    (header(":path"), "unit-name-invalid"),
    (header("X-Sluice-Unit"), "unit-name-reserved"),
    (body(""), "unit-name-invalid"),
    (body("metadata..user"), "unit-name-invalid"),
    (experiment(key="new model"), "key-invalid"),
    (experiment(coverage=-1), "coverage-invalid"),
    (experiment(coverage=10_001), "coverage-invalid"),
    (experiment(stage=-1), "stage-invalid"),
    (experiment(arms=(replace(CONTROL, variant=""),)), "key-invalid"),
    (experiment(arms=(replace(CONTROL, backend="gone"),)), "backend-unknown"),
    (experiment(arms=(replace(CONTROL, end=0),)), "span-invalid"),
    (experiment(arms=(replace(CONTROL, start=-1),)), "span-invalid"),
    (experiment(arms=(replace(CONTROL, end=10_001),)), "span-invalid"),
    (experiment(arms=(CONTROL, replace(CANDIDATE, variant="control"))), "variant-duplicate"),
    (make_table(OVERLAPPING), "spans-overlap"),
    (backend(connect_seconds=0.0), "connect-time-invalid"),
    (backend(concurrency=-1), "concurrency-invalid"),
    (backend(credential=Credential("Secret")), "key-invalid"),
    (backend(credential=Credential("secret", header="Api Key")), "credential-header-invalid"),
    (backend(fallback="gone"), "backend-unknown"),
    (backend(fallback="stable"), "fallback-chained"),
    (endpoint(hosts=("exa mple.com",)), "host-invalid"),
    (endpoint(hosts=("example.com:80",)), "host-invalid"),
    (endpoint(methods=("post",)), "method-invalid"),
    (endpoint(models=("gpt 5",)), "model-invalid"),
    (endpoint(conditions=(Condition("x-sluice-variant", Operator.PRESENT),)), "condition-invalid"),
    (endpoint(conditions=(Condition("x-a", Operator.IS, ("b\n",)),)), "condition-invalid"),
    (endpoint(rewrite="v1"), "rewrite-invalid"),
    (endpoint(limits=Limits(first_byte_seconds=-1)), "timeout-invalid"),
    (endpoint(limits=Limits(idle_seconds=float("inf"))), "timeout-invalid"),
    (endpoint(limits=Limits(retries=6)), "retries-invalid"),
    (endpoint(limits=Limits(body_bytes=(32 << 20) + 1)), "body-limit-invalid"),
    (endpoint(holdout=10_000), "holdout-invalid"),
    (endpoint(unit=Unit(UnitSource.CLAIM, "sub")), "unit-claim-unverified"),
    (endpoint(unit=Unit(UnitSource.COOKIE, "a b")), "unit-name-invalid"),
    (endpoint(tiers=(Tier("all", "stable"),)), "tier-invalid"),
    (endpoint(tiers=(Tier("short", "gone", longest_bytes=9),)), "backend-unknown"),
    (endpoint(tiers=(Tier("a", "stable", longest_bytes=9), Tier("a", "stable", longest_bytes=8))), "tier-duplicate"),
    (endpoint(shadows=(Shadow("e", 0, "new", "stable", 0),)), "shadow-share-invalid"),
    (endpoint(shadows=(Shadow("e", 0, "new", "gone", 5),)), "backend-unknown"),
    (replace(experiment(), endpoints=(replace(experiment().endpoints[0], holdout=1),)), "span-invalid"),
    (experiment(guard=Guard(requests=0)), "guard-invalid"),
    (experiment(arms=(CONTROL, replace(CANDIDATE, guard_round=-1))), "guard-invalid"),
    (experiment(audience=(Condition("x a", Operator.PRESENT),)), "condition-invalid"),
    (experiment(arms=(replace(CONTROL, parameters=Parameters((("host", "x"),))),)), "parameter-invalid"),
    (experiment(arms=(replace(CONTROL, parameters=Parameters((("x-a", "x\r\ny: z"),))),)), "parameter-invalid"),
    (experiment(arms=(replace(CONTROL, parameters=Parameters((), (("", "x"),))),)), "parameter-invalid"),
    *((endpoint(parameters=Parameters(((name, "x"),))), "parameter-invalid") for name in NOT_TO_BE_SET),
    (endpoint(parameters=Parameters((), (("a", "\n"),))), "parameter-invalid"),
    (endpoint(rules=(Rule("all", "stable", ()),)), "rule-invalid"),
    (endpoint(rules=(Rule("gone", "gone", BETA),)), "backend-unknown"),
    (endpoint(rules=(Rule("Beta", "stable", BETA),)), "key-invalid"),
    (endpoint(rules=(Rule("beta", "stable", BETA), Rule("beta", "candidate", BETA))), "rule-duplicate"),
    (endpoint(rules=(Rule("beta", "stable", (Condition("x a", Operator.PRESENT),)),)), "condition-invalid"),
    (endpoint(rules=(Rule("beta", "stable", BETA, Parameters((("host", "x"),))),)), "parameter-invalid"),
    (
        endpoint(rules=tuple(Rule(f"rule-{number}", "stable", BETA) for number in range(MOST_RULES + 1))),
        "rules-too-many",
    ),
    (make_table(MANY_AUDIENCES), "audiences-too-many"),
    (endpoint(access=Access(issuer="gone")), "issuer-unknown"),
    (endpoint(access=Access((AccessKey("Mobile", "0" * 64),))), "key-invalid"),
    (endpoint(access=Access((AccessKey("mobile", "secret"),))), "digest-invalid"),
    (endpoint(testers=tables.Testers((AccessKey("quality", "secret"),))), "digest-invalid"),
    (endpoint(testers=tables.Testers(networks=("::1/128", "10.0.0.1/8"))), "network-invalid"),
    (endpoint(rate_limits=(RateLimit(0, 1),)), "rate-limit-invalid"),
    (endpoint(rate_limits=(RateLimit(1, 1), RateLimit(2, 60))), "rate-limit-duplicate"),
    (endpoint(rate_limits=(RateLimit(1, 1, RateLimitScope.CLIENT),)), "rate-limit-anybody"),
    (replace(make_table(), issuers=(Issuer("a", "b", (), "c"),)), "key-set-invalid"),
    (replace(make_table(), issuers=(Issuer("a", "b", (), KEY_SET), Issuer("a", "c", (), KEY_SET))), "issuer-duplicate"),
    (make_table(SMALL, replace(SMALL, key="b", models=("m",), limits=Limits(body_bytes=9))), "body-limits-differ"),
]
BAD_ADDRESSES = [
    "127.0.0.1:80",
    "ftp://host:80",
    "http://",
    "http://host:0",
    "http://host:port",
    "http://host:99999",
    "http://host/path",
    "http://user@host:80",
    "http://host:80?query",
    "http://ho st:80",
    "http://[::g]:80",
]
GOOD_ADDRESSES = ["http://host", "https://Host.example:443", "http://10.0.0.5:8000", "http://[::1]:8000"]


def codes(table: Table) -> list[str]:
    return [problem.code for problem in problems(table)]


@pytest.mark.parametrize(("table", "code"), BROKEN)
def test_a_broken_table_names_its_one_problem(table: Table, code: str) -> None:
    assert codes(table) == [code]


@pytest.mark.parametrize("address", BAD_ADDRESSES)
def test_an_address_that_is_none_is_named(address: str) -> None:
    assert codes(backend(addresses=(address,))) == ["address-invalid"]


@pytest.mark.parametrize("address", GOOD_ADDRESSES)
def test_an_address_may_leave_the_port_out(address: str) -> None:
    assert codes(backend(addresses=(address,))) == []


@pytest.mark.parametrize(
    "table",
    [
        make_table(version=0),
        experiment(),
        experiment(coverage=0),
        header("X-User-Id"),
        body("metadata.user_id"),
        endpoint(path_prefix="/", timeout_seconds=0, salt="päpper \\1"),
        endpoint(path_prefix="/.sluiced"),
    ],
)
def test_a_table_that_can_be_served_has_no_problem(table: Table) -> None:
    assert codes(table) == []


def test_all_problems_are_told_at_once_in_sentences() -> None:
    table = make_table(make_endpoint(backend="gone", path_prefix="chat"))

    found = problems(table)

    assert found[1] == Problem(
        "backend-unknown",
        "Unknown backend",
        "Endpoint chat names the backend gone, which the table does not have.",
        "Register or restore the backend, or name another.",
    )
    assert len(found) == 2
