"""Sockets that were opened for a process before it started are told by their numbers."""

import os
import socket
from contextlib import closing

import pytest

from syncsvc.doors import DOORS, SERVES, Doors
from syncsvc.errors import Rejected


def test_without_a_word_of_them_there_are_none():
    assert Doors.given({}) is None
    assert Doors.given({DOORS: ""}) is None


def test_what_is_spelled_is_read_again():
    heard, bell = os.pipe()
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        doors = Doors((listening.fileno(),), bell)

        assert Doors.given(doors.environ) == doors
        (opened,) = doors.sockets()
        with opened:
            assert opened.getsockname() == listening.getsockname()
            assert opened.getblocking() is False
        doors.ring()
        assert os.read(heard, 2) == SERVES
    os.close(heard)
    doors.ring()  # nobody listens any more
    os.close(bell)


@pytest.mark.parametrize("said", ["3;4", "one", "99999,99998", "-1"])
def test_what_is_no_list_of_open_files_is_refused_with_what_to_do(said):
    with pytest.raises(Rejected, match=f"{DOORS}: expected the numbers of open files, found") as no:
        Doors.given({DOORS: said})

    assert repr(said) in str(no.value)
    assert "remove it from the environment" in str(no.value)
