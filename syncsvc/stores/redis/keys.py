"""Every key we keep in Redis, with its life beside it.

The part in braces is the hash tag: all keys of one run live in one slot of a cluster.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Key:
    name: str
    life: timedelta

    @property
    def life_ms(self) -> int:
        return int(self.life.total_seconds() * 1000)


FOR_EVER = timedelta(days=3650)
LONGEST_SILENCE = timedelta(hours=24)  # of a worker that may come back
NEWS = "syncsvc:news"  # the one channel on which scripts announce what happened

INCARNATION = Key("syncsvc:incarnation", FOR_EVER)  # gone when the server lost what it kept
BEAT_LOCK = Key("syncsvc:beat:lock", timedelta(seconds=6))  # held by the beat that keeps time


def roster(run_id: str) -> Key:
    """The workers of a run; outlives the longest silence of a worker that may come back."""
    return Key(f"syncsvc:{{{_tag(run_id)}}}:roster", LONGEST_SILENCE)


def _tag(run: str) -> str:
    """Give a run's name as a hash tag: braces inside it would end it early."""
    return run.replace("%", "%25").replace("{", "%7B").replace("}", "%7D")


# requests that are answered once


def done(run: str, request: str, life: timedelta) -> Key:
    """What a request of a run was answered; kept as long as its caller may ask again."""
    return Key(f"syncsvc:{{{_tag(run)}}}:done:{request}", life)


# counters, board, topics, presence: what a room keeps lives as long as somebody touches it


def counter(run: str, kind: str, name: str, life: timedelta) -> Key:
    """The value of a counter, or how often a signal was sent."""
    return Key(f"syncsvc:{{{_tag(run)}}}:{kind}:{name}", life)


def board(run: str, part: str, life: timedelta) -> Key:
    """A part of a run's blackboard: its revision, the index of names, when each is due to go."""
    return Key(f"syncsvc:{{{_tag(run)}}}:board:{part}", life)


def entry(run: str, name: str, life: timedelta) -> Key:
    """An entry of the blackboard, or what is known of one that went."""
    return Key(f"syncsvc:{{{_tag(run)}}}:entry:{name}", life)


def topic(run: str, part: str, name: str, life: timedelta) -> Key:
    """A part of a topic: its entries, and its last offset."""
    return Key(f"syncsvc:{{{_tag(run)}}}:topic:{part}:{name}", life)


def presence(run: str, part: str, life: timedelta) -> Key:
    """A part of who is there in a run: until when, since when and with what, which version."""
    return Key(f"syncsvc:{{{_tag(run)}}}:presence:{part}", life)


# leases


def lease(run: str, kind: str, name: str, life: timedelta = LONGEST_SILENCE) -> Key:
    """What is known of a lease: its newest token, its holders' and its waiters' terms."""
    return _lease(run, kind, "terms", name, life)


def lease_keys(run: str, kind: str, name: str, life: timedelta = LONGEST_SILENCE) -> list[Key]:
    """Every key of a lease: its terms, who holds it, who waits, and what was given back."""
    parts = ("terms", "holders", "queue", "released")
    return [_lease(run, kind, part, name, life) for part in parts]


def _lease(run: str, kind: str, part: str, name: str, life: timedelta) -> Key:
    return Key(f"syncsvc:{{{_tag(run)}}}:lease:{kind}:{part}:{name}", life)


# connections


def connections(run: str, life: timedelta) -> Key:
    """How many connections each gateway has in a run, and ever had."""
    return Key(f"syncsvc:{{{_tag(run)}}}:connections", life)


# checkpoints


def checkpoint(run: str, name: str, life: timedelta) -> list[Key]:
    """What is known of a checkpoint: how it stands, who came, who lives until when, who left."""
    parts = ("state", "arrivals", "alive", "left")
    return [Key(f"syncsvc:{{{_tag(run)}}}:checkpoint:{part}:{name}", life) for part in parts]


def checkpoint_answer(run: str, call: str) -> Key:
    """What a batch of arrivals was answered, for as long as its connection may ask again."""
    return Key(f"syncsvc:{{{_tag(run)}}}:checkpoint:answer:{call}", timedelta(minutes=1))


# gates


def gate(place: str, life: timedelta) -> list[Key]:
    """What is known of a place, named by a digest: its turns, who waits, its pause and bucket."""
    parts = ("permits", "waiting", "looked", "state")
    return [Key(f"syncsvc:{{gate:{place}}}:{part}", life) for part in parts]
