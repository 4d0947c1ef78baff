"""Every setting of Sluice, in one typed class. Documented in docs/settings.md."""

import secrets
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from controlplane.settings.workloads import WorkloadRule

SECRETS_FILE = "secrets.env"
GENERATED_SECRETS = ("SLUICE_SECRET_KEY", "SLUICE_UNIT_KEY")


class Environment(BaseSettings):
    """Settings read from environment variables named `SLUICE_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="SLUICE_", extra="ignore", frozen=True)

    data_directory: Path = Field(Path("var"), description="Folder that Sluice writes to, where no other is set.")
    reserve_megabytes: int = Field(32, ge=0, description="Space set aside in that folder for when its disk is full.")
    database_url: str = Field("", description="Database; empty means SQLite in the data directory.")
    redis_url: str = Field("redis://127.0.0.1:7379/0", description="Redis or Valkey server.")
    lake_url: str = Field("", description="Delta Lake root; empty means `lake` in the data directory.")
    spark_master: str = Field(
        "", description="Spark that reads whole tables of the lake, like `local[*]`; empty means DuckDB."
    )
    secret_key: SecretStr = Field(SecretStr(""), description="Key for sessions and token hashes.")
    unit_key: SecretStr = Field(SecretStr(""), description="Key of the unit hash, hexadecimal, 16 to 64 bytes.")
    debug: bool = Field(False, description="Django's debug pages; never in production.")
    allowed_hosts: list[str] = Field(["*"], description="Host names that the web app answers to.")
    trusted_origins: list[str] = Field([], description="Origins allowed to post forms from behind a proxy.")
    https: bool = Field(False, description="Whether people reach the web app by TLS alone; then cookies are secure.")
    web_host: str = Field("127.0.0.1", description="Address that the web app listens on.")
    web_port: int = Field(8800, description="Port of the web app.")
    edge_name: str = Field("local", description="Name of this machine's edge.")
    edge_zone: str = Field("local", description="Zone that this machine's edge reports.")
    edge_labels: str = Field("", description="Labels of this machine's edge, like `gpu=h100,rack=7`.")
    edge_host: str = Field("127.0.0.1", description="Address that the edge listens on for user traffic.")
    edge_port: int = Field(8900, description="Port of the edge for user traffic.")
    edge_directory: Path = Field(Path(), description="Folder of the edge; empty means `edge` in the data directory.")
    edge_memory_directory: Path = Field(
        Path("/dev/shm"),  # noqa: S108 - a folder of the edge's own is made in it
        description="Folder in memory for what the edge must be able to write when its disk is full.",
    )
    forbidden_networks: list[str] = Field(
        [
            "0.0.0.0/8",
            "100.100.100.200/32",
            "169.254.0.0/16",
            "192.0.0.192/32",
            "224.0.0.0/3",
            "::/128",
            "fd00:ec2::254/128",
            "fe80::/10",
            "ff00::/8",
        ],
        description="Networks where no backend may be.",
    )
    workload_rules: list[WorkloadRule] = Field(
        [], description="Which jobs of CI get a token for their JWT, as `docs/rights.md` says."
    )
    edge_certificate: str = Field("", description="PEM certificate of the edge with its chain; empty means no TLS.")
    edge_private_key: str = Field("", description="PEM private key of the edge's certificate.")
    tick_seconds: float = Field(1.0, description="How often due experiments are analysed.")
    collector_seconds: float = Field(2.0, description="Longest wait before collected events are committed to the lake.")
    lake_history_hours: float = Field(
        1.0, ge=0.1, description="Hours that an analysis can be repeated at its version of the lake."
    )
    requests_days: int = Field(0, ge=0, description="Days that the lake keeps requests; 0 is for ever.")
    outcomes_days: int = Field(0, ge=0, description="Days that the lake keeps outcomes; 0 is for ever.")
    log_level: str = Field("INFO", description="Lowest level that is logged.")

    @field_validator("forbidden_networks")
    @classmethod
    def _check_networks(cls, networks: list[str]) -> list[str]:
        return [str(ip_network(network)) for network in networks]

    @model_validator(mode="after")
    def _check_certificate(self) -> Self:
        if bool(self.edge_certificate) != bool(self.edge_private_key):
            raise ValueError("Set both SLUICE_EDGE_CERTIFICATE and SLUICE_EDGE_PRIVATE_KEY, or neither.")
        return self

    @model_validator(mode="after")
    def _derive_locations(self) -> Self:
        data = self.data_directory.absolute()
        derived = {
            "data_directory": data,
            "database_url": self.database_url or f"sqlite:///{data / 'sluice.sqlite3'}",
            "lake_url": self.lake_url or str(data / "lake"),
            "edge_directory": data / "edge" if self.edge_directory == Path() else self.edge_directory.absolute(),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)
        return self


@cache
def get_environment() -> Environment:
    """The settings of this process; secrets that are not set are read from the data directory."""
    bare = Environment()  # type: ignore[call-arg,unused-ignore]
    secrets_file = bare.data_directory / SECRETS_FILE
    return Environment(_env_file=secrets_file) if secrets_file.exists() else bare  # type: ignore[call-arg,unused-ignore]


def write_missing_secrets(data_directory: Path) -> None:
    """Generate the secrets that an installation needs, once, readable by its owner alone."""
    path = data_directory / SECRETS_FILE
    if path.exists():
        return
    data_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={secrets.token_hex(32)}\n" for name in GENERATED_SECRETS))
