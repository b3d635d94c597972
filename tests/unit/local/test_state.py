"""What a stack keeps on disk, and what it makes of it when it is torn."""

import socket
import stat
from pathlib import Path

import pytest

from infra_cdk.local.ports import HIGHEST, LOWEST
from infra_cdk.local.process import LocalError
from infra_cdk.local.state import PORTS, AlreadyRunningError, State, read_json, write_json


def test_ports_are_free_different_and_kept(tmp_path: Path) -> None:
    ports = State.at(tmp_path / "home").ports()

    assert set(ports) == set(PORTS)
    assert len(set(ports.values())) == len(PORTS)
    assert all(LOWEST <= port < HIGHEST for port in ports.values())
    assert State.at(tmp_path / "home").ports() == ports


def test_torn_ports_are_chosen_anew(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text('{"front": 2')

    assert set(State.at(tmp_path).ports()) == set(PORTS)


def test_a_port_that_is_missing_is_added_and_the_others_stay(tmp_path: Path) -> None:
    write_json(tmp_path / "ports.json", {"front": 20_001})

    ports = State.at(tmp_path).ports()

    assert ports["front"] == 20_001
    assert set(ports) == set(PORTS)


def test_passwords_are_kept_and_only_their_owner_may_read_them(tmp_path: Path) -> None:
    state = State.at(tmp_path)

    assert state.passwords() == State.at(tmp_path).passwords()
    assert stat.S_IMODE((tmp_path / "passwords.json").stat().st_mode) == 0o600


def test_one_stack_has_one_holder(tmp_path: Path) -> None:
    state = State.at(tmp_path)

    with state.lock():
        assert state.is_held
        with pytest.raises(AlreadyRunningError, match="another process holds"), State.at(tmp_path).lock():
            pass
    assert not state.is_held


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.json"
    write_json(path, {"a": 1})

    with pytest.raises(TypeError):
        write_json(path, {"a": object()})

    assert read_json(path) == {"a": 1}
    assert [each.name for each in path.parent.iterdir()] == ["file.json"]


def test_a_port_that_another_program_has_taken_is_told_with_what_to_do(tmp_path: Path) -> None:
    state = State.at(tmp_path)
    taken = socket.create_server(("127.0.0.1", state.ports()["front"]))
    with taken, pytest.raises(LocalError, match=r"\(front\).*rm .*ports\.json"):
        state.check_ports(patience=0)
    state.check_ports(patience=0)
