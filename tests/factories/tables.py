"""Small routing tables to test with."""

from routing.table import Arm, Backend, Endpoint, RunningExperiment, Table, Testers, Unit, UnitSource

THIS_MACHINE = Testers(networks=("127.0.0.0/8", "::1/128"))


def make_backend(key: str, address: str = "http://127.0.0.1:1", protocol: str = "openai") -> Backend:
    """A backend at one address."""
    return Backend(key, protocol, (address,), "/health", prompt_price=1.0, completion_price=2.0)


def make_experiment(key: str, *arms: Arm, stage: int = 0, coverage: int = 10_000) -> RunningExperiment:
    """An experiment at full coverage unless told otherwise."""
    return RunningExperiment(key, stage, coverage, arms)


def make_endpoint(
    key: str = "chat",
    *experiments: RunningExperiment,
    path_prefix: str = "/chat",
    unit: Unit | None = None,
    salt: str = "pepper",
    backend: str = "stable",
    timeout_seconds: int = 60,
) -> Endpoint:
    """An endpoint that takes its unit from a header unless told otherwise, and may be tested from this machine."""
    unit = unit or Unit(UnitSource.HEADER, "x-user-id")
    return Endpoint(key, path_prefix, unit, salt, backend, timeout_seconds, experiments, testers=THIS_MACHINE)


def make_table(*endpoints: Endpoint, backends: tuple[Backend, ...] = (), version: int = 1) -> Table:
    """A table of these endpoints; without backends it has `stable` and `candidate`."""
    return Table(version, endpoints, backends or (make_backend("stable"), make_backend("candidate")))
