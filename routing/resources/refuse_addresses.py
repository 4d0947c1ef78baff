"""Refuse backends where no model server is: at a cloud's metadata service, or at Sluice's own ports.

Whatever is at a backend's address answers everybody who may call its endpoint, and what it answers is theirs.
"""

import socket
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from controlplane.problems.errors import InvalidInput
from controlplane.settings import Environment, get_environment

Address = IPv4Address | IPv6Address

PORTS = {"http": 80, "https": 443, "redis": 6379, "rediss": 6379, "postgres": 5432, "postgresql": 5432}

# A name that no server knows by then may be one that edges alone can look up.
LOOK_UP_SECONDS = 3.0

# Networks that carry an address of the older kind within one of the newer.
TRANSLATED = IPv6Network("64:ff9b::/96")


def refuse_addresses(addresses: Sequence[str]) -> None:
    """Raises `InvalidInput` when an address, or what its name stands for now, is none that a backend may have.

    What is no address at all is for the table's own checks to say.
    """
    environment = get_environment()
    own = _looked_up(_own_places(environment))
    for text, (port, found) in zip(addresses, _looked_up(addresses), strict=True):
        if any(_is_forbidden(address, environment) for address in found):
            raise InvalidInput(
                "address-forbidden",
                f"{text} is in a network where no backend may be, such as that of a cloud's metadata service.",
                next_step="Use the model server's own address; SLUICE_FORBIDDEN_NETWORKS says what is refused.",
            )
        if any(port == other and _meet(found, there) for other, there in own):
            raise InvalidInput(
                "address-own",
                f"{text} is Sluice itself, or what it keeps its data in.",
                next_step="Use the address of a model server.",
            )


def _own_places(environment: Environment) -> Iterator[str]:
    yield f"http://{_bracketed(environment.web_host)}:{environment.web_port}"
    yield f"http://{_bracketed(environment.edge_host)}:{environment.edge_port}"
    yield environment.redis_url
    yield environment.database_url


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _looked_up(texts: Iterable[str]) -> list[tuple[int | None, frozenset[Address]]]:
    """The port and the network addresses of each; none where there is no host, or nobody knows it."""
    places = [_place(text) for text in texts]
    threads = ThreadPoolExecutor(max(1, min(len(places), 32)))
    asked = [threads.submit(_addresses_of, host) for host, _ in places]
    done, _ = wait(asked, timeout=LOOK_UP_SECONDS)
    threads.shutdown(wait=False, cancel_futures=True)
    found = [look_up.result() if look_up in done else frozenset[Address]() for look_up in asked]
    return [(port, addresses) for (_, port), addresses in zip(places, found, strict=True)]


def _place(text: str) -> tuple[str, int | None]:
    try:
        parts = urlsplit(text)
        return parts.hostname or "", parts.port or PORTS.get(parts.scheme.lower())
    except ValueError:
        return "", None


def _addresses_of(host: str) -> frozenset[Address]:
    if not host:
        return frozenset()
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return frozenset()
    return frozenset(_plain(ip_address(str(place[0]).partition("%")[0])) for *_, place in found)


def _plain(address: Address) -> Address:
    """The address of the older kind that one of the newer kind stands for."""
    if isinstance(address, IPv4Address):
        return address
    if address in TRANSLATED:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_forbidden(address: Address, environment: Environment) -> bool:
    return any(address in ip_network(network) for network in environment.forbidden_networks)


def _meet(addresses: frozenset[Address], others: frozenset[Address]) -> bool:
    return bool(addresses & others) or (_of_this_machine(addresses) and _of_this_machine(others))


def _of_this_machine(addresses: Iterable[Address]) -> bool:
    return any(address.is_loopback or address.is_unspecified or _can_be_bound(address) for address in addresses)


def _can_be_bound(address: Address) -> bool:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
