"""What a routing table is made of."""

from dataclasses import dataclass
from enum import StrEnum

from routing.table.access import Access, AccessKey, Credential, Issuer
from routing.table.basis_points import WHOLE
from routing.table.rule_conditions import Condition

MOST_RULES = 8
"""Rules of one endpoint; with each, Envoy looks through as many routes more as without any."""


class UnitSource(StrEnum):
    """Where a request carries its unit."""

    HEADER = "header"
    COOKIE = "cookie"
    BODY = "body"
    CLAIM = "claim"


@dataclass(frozen=True, slots=True)
class Unit:
    """Where an endpoint finds the unit: a header's or cookie's name, or the dotted path of a body field or JWT claim.

    When `anonymous`, a request without one gets a cookie with a new unit from the edge.
    """

    source: UnitSource
    name: str
    anonymous: bool = False


@dataclass(frozen=True, slots=True)
class Backend:
    """A deployed model version: addresses like `http://host:port`, prices a million tokens.

    `concurrency` is how many requests may be under way at once, 0 for any number; `fallback` is the backend that
    answers while this one has no healthy host; `http2` says that it speaks HTTP/2, as gRPC does.
    """

    key: str
    protocol: str
    addresses: tuple[str, ...]
    health_path: str
    prompt_price: float
    completion_price: float
    connect_seconds: float = 3.0
    concurrency: int = 0
    credential: Credential | None = None
    fallback: str | None = None
    http2: bool = False


@dataclass(frozen=True, slots=True)
class Parameters:
    """What an edge changes of a request: headers and query parameters that are set, by name."""

    headers: tuple[tuple[str, str], ...] = ()
    query: tuple[tuple[str, str], ...] = ()

    def over(self, beneath: "Parameters") -> "Parameters":
        """Both together; of what both name, this one's value. Names of headers are alike whatever their case."""
        own_headers, own_query = {name.lower() for name, _ in self.headers}, {name for name, _ in self.query}
        kept_headers = tuple(pair for pair in beneath.headers if pair[0].lower() not in own_headers)
        kept_query = tuple(pair for pair in beneath.query if pair[0] not in own_query)
        return Parameters(kept_headers + self.headers, kept_query + self.query)


@dataclass(frozen=True, slots=True)
class Arm:
    """A variant with its backend and its span of buckets, `start` included and `end` not.

    `guard_round` counts how often it was reinstated after an edge ejected it; what an edge ejected in an earlier
    round is in again.
    """

    variant: str
    backend: str
    start: int
    end: int
    parameters: Parameters = Parameters()
    guard_round: int = 0


@dataclass(frozen=True, slots=True)
class Guard:
    """When an edge ejects a candidate: the share of failures among so many of its latest requests.

    Those older than the window do not count. A request fails as `routing.access_log.results` says, or by a first byte
    later than `first_byte_ms` (0: however late).
    """

    requests: int = 20
    failing_share: float = 0.5
    window_seconds: float = 5.0
    first_byte_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class RunningExperiment:
    """An experiment's arms, the control's first, and how much of each arm's span is in: `coverage` in 1/10 000.

    Only requests that meet all conditions of the `audience` are assigned.
    """

    key: str
    stage: int
    coverage: int
    arms: tuple[Arm, ...]
    audience: tuple[Condition, ...] = ()
    guard: Guard | None = Guard()


@dataclass(frozen=True, slots=True)
class Shadow:
    """A candidate that gets copies of `share` in 1/10 000 of the requests; nobody sees its answers."""

    experiment: str
    stage: int
    variant: str
    backend: str
    share: int


@dataclass(frozen=True, slots=True)
class Tier:
    """Requests that another backend answers: those that meet all conditions and are short enough.

    `longest_bytes` is the longest body of such a request, 0 for any length.
    """

    key: str
    backend: str
    conditions: tuple[Condition, ...] = ()
    longest_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Rule:
    """What requests that meet all conditions get while no experiment takes them, in place of the endpoint's own."""

    key: str
    backend: str
    conditions: tuple[Condition, ...]
    parameters: Parameters = Parameters()


class RateLimitScope(StrEnum):
    """Whose requests are counted together."""

    ENDPOINT = "endpoint"
    CLIENT = "client"
    UNIT = "unit"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most so many requests in so many seconds, counted by each edge for itself."""

    requests: int
    seconds: int
    scope: RateLimitScope = RateLimitScope.ENDPOINT


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an endpoint waits and how much it takes; 0 means no limit of its own.

    `first_byte_seconds` until the answer begins, `idle_seconds` between two parts of it, `retries` before it has
    begun, `body_bytes` of a request.
    """

    first_byte_seconds: float = 0.0
    idle_seconds: float = 0.0
    retries: int = 1
    body_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Testers:
    """Who may force variants and be explained to: who has one of these keys, or calls from one of these networks.

    Networks are written like `10.0.0.0/8` or `fd00::/8`.
    """

    keys: tuple[AccessKey, ...] = ()
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A public name, the backend behind it, and the experiments that run on it.

    Requests belong to it by path prefix and, where given, by host, method, conditions on headers, and model. The
    prefix is replaced by `rewrite` on the way to the backend unless that is None. The last `holdout` buckets are in
    no experiment. Whom no experiment takes gets what the first rule says that the request meets, and where none does,
    the backend with the endpoint's own `parameters`.
    `warm` are backends that are kept ready though no request goes there now: a standby, those of
    experiments that are stopped, those of candidates that an edge ejected.
    `kept` is the share in 1/10 000 of users outside of experiments whose requests go into the lake.
    """

    key: str
    path_prefix: str
    unit: Unit
    salt: str
    backend: str
    timeout_seconds: int
    experiments: tuple[RunningExperiment, ...]
    hosts: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    models: tuple[str, ...] = ()
    rewrite: str | None = None
    limits: Limits = Limits()
    tiers: tuple[Tier, ...] = ()
    shadows: tuple[Shadow, ...] = ()
    holdout: int = 0
    access: Access | None = None
    rate_limits: tuple[RateLimit, ...] = ()
    parameters: Parameters = Parameters()
    rules: tuple[Rule, ...] = ()
    warm: tuple[str, ...] = ()
    kept: int = WHOLE
    testers: Testers = Testers()


@dataclass(frozen=True, slots=True)
class Table:
    """All endpoints and backends at one version; `cut` names the arms that the edge which serves it ejected."""

    version: int
    endpoints: tuple[Endpoint, ...]
    backends: tuple[Backend, ...]
    issuers: tuple[Issuer, ...] = ()
    cut: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of neighbouring buckets with one fate; without an experiment it is not measured.

    `held_out` marks the buckets that no experiment may ever take; `rule` names what they get instead of the
    endpoint's own.
    """

    weight: int
    backend: str
    experiment: str | None = None
    variant: str | None = None
    stage: int | None = None
    parameters: Parameters = Parameters()
    held_out: bool = False
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a table: a stable code, what it is, and what to do next."""

    code: str
    title: str
    detail: str
    next_step: str
