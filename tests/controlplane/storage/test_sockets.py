"""Where an installation's sockets lie: a system bounds their paths, and no other account may write beside them."""

import socket
from pathlib import Path

import pytest

from controlplane.problems.errors import Unavailable
from controlplane.storage.sockets import LONGEST_NAME, socket_directory

DEEP = "deep" * 30


def test_they_lie_in_a_data_folder_whose_path_is_short() -> None:
    assert socket_directory(Path("/var/lib/sluice")) == Path("/var/lib/sluice")


@pytest.mark.parametrize("name", [DEEP, "\N{CJK UNIFIED IDEOGRAPH-6C34}" * 30])
def test_however_deep_the_data_lie_a_socket_can_be_bound(tmp_path: Path, name: str) -> None:
    directory, other = socket_directory(tmp_path / name), socket_directory(tmp_path / f"other-{name}")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{directory}{LONGEST_NAME}")
    Path(f"{directory}{LONGEST_NAME}").unlink()
    assert directory.stat().st_mode & 0o777 == 0o700
    assert socket_directory(tmp_path / name) == directory != other
    directory.rmdir()
    other.rmdir()


def test_a_folder_open_to_other_accounts_is_refused(tmp_path: Path) -> None:
    directory = socket_directory(tmp_path / DEEP)
    directory.chmod(0o777)
    with pytest.raises(Unavailable, match="open to other accounts"):
        socket_directory(tmp_path / DEEP)
    directory.rmdir()
