"""The table that the database asks for, read so that a row that is broken spoils no other."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from typing import TypeVar

from django.db import DatabaseError
from django.db.models import Model, QuerySet

from controlplane.problems.problem import Problem
from controlplane.storage.legible_columns import legible
from routing import models, table
from routing.models import stored_lists
from routing.protocols.plain_http import HTTP
from routing.publishing.callers import LivingKey, access, living_keys, testers
from routing.table import Brake, BrakeKind, Hindrance, apply_brakes, checked, problems, subject_of

Row = TypeVar("Row", bound=Model)
Made = TypeVar("Made", table.Backend, table.Issuer, table.Endpoint)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The table of all that could be read, and what could not be."""

    table: table.Table
    hindrances: tuple[Hindrance, ...] = ()


def wanted_table(brakes: Collection[Brake] = ()) -> Wanted:
    """What the database asks for, without what the kill switch and further brakes take out. Its version is 0.

    Raises `DatabaseError` when the database does not answer; a row that is broken in any way is a hindrance.
    """
    wanted = unbraked_table()
    return replace(wanted, table=apply_brakes(wanted.table, [*_stops(), *brakes]))


def unbraked_table() -> Wanted:
    """The same with what brakes take out. Raises as `wanted_table` does."""
    hindrances: list[Hindrance] = []
    keys = living_keys()
    related = models.Endpoint.objects.prefetch_related("backend", "standby", "layer", "issuer", "splits")
    backends = models.Backend.objects.filter(models.IN_USE).prefetch_related("fallback")
    whole = table.Table(
        version=0,
        backends=tuple(_parts(table.Backend, backends, _backend, hindrances)),
        issuers=tuple(_parts(table.Issuer, models.Issuer.objects.all(), _issuer, hindrances)),
        endpoints=tuple(_parts(table.Endpoint, related, lambda endpoint: _endpoint(endpoint, keys), hindrances)),
    )
    return Wanted(whole, tuple(hindrances))


def wanted_endpoint(endpoint: models.Endpoint) -> table.Endpoint | None:
    """One endpoint of the table that would follow from it as it is here, whoever may call it.

    None when its row is broken. Raises `DatabaseError` when the database does not answer.
    """
    try:
        found = _endpoint(legible(endpoint), ())
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001 - a row may be broken in any way
        return None
    alone = table.Table(version=0, endpoints=(found,), backends=())
    return apply_brakes(alone, _stops()).endpoints[0]


def problem_of(row: models.Backend | models.Issuer | models.Endpoint, backends: Collection[str]) -> Problem | None:
    """Why edges could not serve what a row says, beside these backends; None where they can.

    Raises `DatabaseError`.
    """
    subject = f"{row._meta.model_name} {row.key}"
    try:
        return next(iter(problems(_table_of(row, backends))), None)
    except DatabaseError:
        raise
    except Exception as error:  # noqa: BLE001 - a row may be broken in any way
        return _unreadable(subject, error)


def _table_of(row: models.Backend | models.Issuer | models.Endpoint, backends: Collection[str]) -> table.Table:
    """A table of one row alone, with something sound in the place of all that it may name."""
    if isinstance(row, models.Backend):
        return table.Table(version=0, backends=(replace(checked(_backend(legible(row))), fallback=None),), endpoints=())
    if isinstance(row, models.Issuer):
        return table.Table(version=0, backends=(), endpoints=(), issuers=(checked(_issuer(legible(row))),))
    part = checked(_endpoint(legible(row), ()))
    own = [backend.key for backend in (row.backend, row.standby) if backend]
    names = backends if part.tiers or part.rules or part.shadows or part.experiments else own
    return table.Table(
        version=0,
        backends=tuple(table.Backend(key, HTTP.key, ("http://127.0.0.1:9",), "/", 0, 0) for key in sorted(names)),
        endpoints=(part,),
        issuers=(_issuer(row.issuer),) if row.issuer else (),
    )


def ended(last: table.Table) -> list[Brake]:
    """What a table has that the database has ended since: experiments, keys, all of where the kill switch is on."""
    running = set(models.Split.objects.values_list("experiment", flat=True))
    living = {living.key.digest for living in living_keys()}
    gone = {experiment.key for endpoint in last.endpoints for experiment in endpoint.experiments} - running
    held = [key for endpoint in last.endpoints if endpoint.access for key in endpoint.access.keys]
    for_tests = [key for endpoint in last.endpoints for key in endpoint.testers.keys]
    revoked = {key.digest for key in (*held, *for_tests)} - living
    return [
        *_stops(),
        *(Brake(BrakeKind.EXPERIMENT, key) for key in sorted(gone)),
        *(Brake(BrakeKind.KEY, digest) for digest in sorted(revoked)),
    ]


def _stops() -> list[Brake]:
    """Where the kill switch is on; only the column is read that says so."""
    stopped = models.Stop.objects.filter(ended_at=None).values_list("endpoint__key", flat=True)
    return [Brake(BrakeKind.EXPERIMENTS, key or "") for key in stopped]


def _parts(
    kind: type[Made], rows: QuerySet[Row], make: Callable[[Row], Made], hindrances: list[Hindrance]
) -> Iterator[Made]:
    """The parts of a table that rows stand for, in the order of their keys; a row may be broken in any way."""
    for key, read in sorted(_readers(rows), key=itemgetter(0)):
        try:
            yield checked(make(legible(read())))
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            subject = subject_of(kind, key)
            hindrances.append(Hindrance(subject, _unreadable(subject, error)))


def _readers(rows: QuerySet[Row]) -> list[tuple[str, Callable[[], Row]]]:
    """How each row is read, by its key: all at once, or one by one where that fails."""
    try:
        return [(row.key, partial(_same, row)) for row in rows]  # type: ignore[attr-defined]
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001 - a row may be broken in any way
        return [(key, partial(rows.get, pk=pk)) for key, pk in rows.values_list("key", "pk")]


def _same(row: Row) -> Row:
    return row


def _unreadable(subject: str, error: Exception) -> Problem:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    detail = f"The database's record of {subject} cannot be read: {reason}"
    return Problem(
        "unreadable", "Unreadable", detail, "Correct it, or remove it; edges go on with what they have of it."
    )


def _backend(backend: models.Backend) -> table.Backend:
    return table.Backend(
        key=backend.key,
        protocol=backend.protocol,
        addresses=tuple(backend.addresses),
        health_path=backend.ready_path,
        prompt_price=backend.prompt_price,
        completion_price=backend.completion_price,
        connect_seconds=backend.connect_seconds,
        concurrency=backend.concurrency,
        fallback=backend.fallback.key if backend.fallback else None,
        credential=_credential(backend),
        http2=backend.http2,
    )


def _credential(backend: models.Backend) -> table.Credential | None:
    if not backend.credential_secret:
        return None
    return table.Credential(backend.credential_secret, backend.credential_header, backend.credential_prefix)


def _issuer(issuer: models.Issuer) -> table.Issuer:
    return table.Issuer(issuer.key, issuer.issuer, tuple(issuer.audiences), issuer.key_set)


def _endpoint(endpoint: models.Endpoint, keys: Sequence[LivingKey]) -> table.Endpoint:
    splits = sorted(endpoint.splits.all(), key=lambda split: split.start)
    source = table.UnitSource(endpoint.unit_source)
    return table.Endpoint(
        key=endpoint.key,
        path_prefix=endpoint.path_prefix,
        unit=table.Unit(source=source, name=endpoint.unit_name, anonymous=endpoint.anonymous),
        salt=endpoint.layer.salt,
        backend=endpoint.backend.key,
        parameters=stored_lists.parameters(endpoint.headers, endpoint.query),
        rules=tuple(_rule(rule) for rule in stored_lists.rules(endpoint.rules)),
        timeout_seconds=endpoint.timeout_seconds,
        experiments=tuple(_running_experiment(split) for split in splits),
        hosts=tuple(endpoint.hosts),
        methods=tuple(endpoint.methods),
        conditions=stored_lists.conditions(endpoint.conditions),
        models=tuple(endpoint.model_names),
        rewrite=endpoint.rewrite or None,
        limits=_limits(endpoint),
        access=access(endpoint, keys),
        testers=testers(endpoint, keys),
        rate_limits=tuple(_rate_limit(limit) for limit in stored_lists.rate_limits(endpoint.rate_limits)),
        tiers=tuple(_tier(tier) for tier in stored_lists.tiers(endpoint.tiers)),
        holdout=endpoint.layer.holdout,
        shadows=tuple(_shadow(shadow) for shadow in stored_lists.shadows(endpoint.shadows)),
        warm=(endpoint.standby.key,) if endpoint.standby else (),
        kept=table.BasisPoints.of_percent(endpoint.kept_percent),
    )


def _limits(endpoint: models.Endpoint) -> table.Limits:
    return table.Limits(
        first_byte_seconds=endpoint.first_byte_seconds,
        idle_seconds=endpoint.idle_seconds,
        retries=endpoint.retries,
        body_bytes=endpoint.body_bytes,
    )


def _rate_limit(limit: stored_lists.RateLimitShape) -> table.RateLimit:
    return table.RateLimit(limit.requests, limit.seconds, limit.per)


def _rule(rule: stored_lists.RuleShape) -> table.Rule:
    parameters = stored_lists.parameters(rule.headers, rule.query)
    return table.Rule(rule.key, rule.backend, stored_lists.conditions(rule.conditions), parameters)


def _tier(tier: stored_lists.TierShape) -> table.Tier:
    return table.Tier(tier.key, tier.backend, stored_lists.conditions(tier.conditions), tier.longest_bytes)


def _shadow(shadow: stored_lists.ShadowShape) -> table.Shadow:
    share = max(1, table.BasisPoints.of_percent(shadow.percent))
    return table.Shadow(shadow.name, 0, "candidate", shadow.backend, share)


def _running_experiment(split: models.Split) -> table.RunningExperiment:
    legible(split)
    return table.RunningExperiment(
        key=split.experiment,
        stage=split.stage,
        coverage=split.coverage,
        arms=tuple(_arm(**arm) for arm in split.arms),
        audience=stored_lists.conditions(split.audience),
        guard=None if split.guard is None else table.Guard(**split.guard),
    )


def _arm(
    variant: str,
    backend: str,
    start: int,
    end: int,
    headers: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    guard_round: int = 0,
) -> table.Arm:
    parameters = stored_lists.parameters(headers or {}, query or {})
    return table.Arm(variant, backend, start, end, parameters, guard_round)
