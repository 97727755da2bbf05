"""The configuration of the embedded server."""

from pathlib import Path

from syncsvc.embedded.valkey import configuration


def test_only_a_private_socket_leads_to_the_server():
    text = configuration(Path("/d/valkey"), Path("/d/run/valkey.sock"))

    assert "port 0\n" in text
    assert "unixsocketperm 700\n" in text


def test_nothing_acknowledged_is_forgotten_or_evicted():
    text = configuration(Path("/d/valkey"), Path("/d/run/valkey.sock"))

    assert "appendonly yes\n" in text
    assert "maxmemory-policy noeviction\n" in text


def test_odd_paths_are_quoted():
    text = configuration(Path('/a b/"c"\\d'), Path("/s"))

    assert 'dir "/a b/\\"c\\"\\\\d"\n' in text
