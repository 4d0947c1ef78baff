"""Where no backend may be: at metadata services, in whatever form they are written, and at Sluice's own ports."""

import socket

import pytest

from controlplane.audit.actors import SLUICE
from controlplane.problems.errors import InvalidInput
from controlplane.settings import get_environment
from routing.models import Backend
from routing.resources.edit import edit
from routing.resources.refuse_addresses import refuse_addresses
from routing.resources.register import register
from tests.visitors.callers import Caller

pytestmark = [pytest.mark.django_db]

# The link-local address of RFC 3927 that clouds serve credentials at, and what stands for it by RFC 4291, RFC 6052,
# RFC 3056 and inet_aton; then other clouds' and networks that are nobody's.
FORBIDDEN = (
    "http://169.254.169.254",
    "http://169.254.169.254:80/",
    "HTTP://169.254.169.254:8000",
    "https://169.254.0.1",
    "http://2852039166",
    "http://0xa9fea9fe",
    "http://0251.0376.0251.0376",
    "http://169.254.43518",
    "http://[::ffff:169.254.169.254]",
    "http://[::ffff:a9fe:a9fe]:80",
    "http://[64:ff9b::a9fe:a9fe]",
    "http://[2002:a9fe:a9fe::1]",
    "http://[fd00:ec2::254]",
    "http://[fe80::1]",
    "http://100.100.100.200",
    "http://192.0.0.192",
    "http://0.0.0.0:9000",
    "http://0:9000",
    "http://[::]:9000",
    "http://255.255.255.255",
    "http://224.0.0.1",
)

HERE = ("127.0.0.1", "localhost", "LOCALHOST", "127.1", "127.0.0.2", "2130706433", "[::1]", "[::ffff:127.0.0.1]")

# Private networks are where model servers are; of what is not there nobody knows yet what it is.
ALLOWED = (
    "http://10.0.0.5:8000",
    "http://192.168.1.7",
    "http://172.16.0.9:8800",
    "http://127.0.0.1:9001",
    "http://[fd12:3456::1]:8000",
    "http://nobody.invalid:8800",
)


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_network_without_model_servers_is_refused(address: str) -> None:
    with pytest.raises(InvalidInput, match="where no backend may be") as refused:
        refuse_addresses([ALLOWED[0], address])
    assert refused.value.code == "address-forbidden"


@pytest.mark.parametrize("host", HERE)
@pytest.mark.parametrize("setting", ["web_port", "edge_port"])
def test_a_port_of_sluice_is_refused_by_whatever_name(host: str, setting: str) -> None:
    port = getattr(get_environment(), setting)
    with pytest.raises(InvalidInput, match="is Sluice itself") as refused:
        refuse_addresses([f"http://{host}:{port}"])
    assert refused.value.code == "address-own"


def test_this_machines_other_addresses_are_its_own() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 1))
        except OSError:
            pytest.skip("this machine has no address but those of its loopback interface")
        address = probe.getsockname()[0]
    with pytest.raises(InvalidInput, match="is Sluice itself"):
        refuse_addresses([f"http://{address}:{get_environment().web_port}"])


def test_the_server_of_the_table_is_refused() -> None:
    with pytest.raises(InvalidInput, match="keeps its data in"):
        refuse_addresses([get_environment().redis_url.replace("redis:", "http:").removesuffix("/0")])


def test_what_model_servers_may_have_is_taken() -> None:
    refuse_addresses(ALLOWED)


def test_nothing_is_saved_when_a_backend_is_refused(operator: Caller) -> None:
    stolen = {"key": "stolen", "name": "Stolen", "protocol": "http", "addresses": [FORBIDDEN[0]]}
    answer = operator.send("POST", "backends", stolen)
    assert (answer.status_code, answer.json()["code"]) == (400, "address-forbidden")
    assert not Backend.objects.filter(key="stolen").exists()


def test_a_backend_cannot_move_there(db: None) -> None:
    moving = Backend(key="moving", name="Moving", protocol="http", addresses=["http://10.0.0.5:8000"])
    register(moving, actor=SLUICE)
    with pytest.raises(InvalidInput):
        edit(moving, {"addresses": [FORBIDDEN[0]]}, actor=SLUICE)
    assert Backend.objects.get(key="moving").addresses == ["http://10.0.0.5:8000"]
