"""Where a request comes from."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The address of who sent it. The front writes that behind whatever the header held, as does a proxy beside it."""
    passed = [each.strip() for each in request.headers.get("X-Forwarded-For", "").split(",")]
    told = [each for each in passed if is_address(each)] or [request.META.get("REMOTE_ADDR", "")]
    return next((each for each in reversed(told) if not _is_loopback(each)), told[-1])


def is_within(address: str, networks: Iterable[str]) -> bool:
    """Whether an address is in one of these networks.

    >>> is_within("10.1.2.3", ["10.0.0.0/8"]), is_within("::ffff:10.1.2.3", ["10.0.0.0/8"]), is_within("", ["::/0"])
    (True, True, False)
    """
    if not is_address(address):
        return False
    found = ip_address(address)
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in ip_network(network) for network in networks)


def is_address(text: str) -> bool:
    """Whether a text is an address of IPv4 or IPv6."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_loopback(text: str) -> bool:
    return is_address(text) and ip_address(text).is_loopback
