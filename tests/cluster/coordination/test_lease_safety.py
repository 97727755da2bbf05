"""However masters are paused, cut off and wrong about the time, no older token is ever accepted.

Three processes have a candidate each for many leases. Whoever leads renews, and writes to the
blackboard with its token, for as long as its own clock says. One process after the other is
stopped in its tracks, a share of the other masters is cut off, and every clock is set wrong.
A trial is one master that was struck.
"""

import asyncio
import os
import random
from collections import defaultdict
from collections.abc import Iterable
from itertools import cycle, pairwise

import pytest

from tests.support.campaigners import Campaigners, Seen, Site, campaigns

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]

SEED = int(os.environ.get("SYNCSVC_TEST_SEED", random.SystemRandom().randrange(10**6)))
TRIALS, LEASES = 1000, 150
TTL = 0.5  # seconds, the shortest there is
FAILOVER_WITHIN = TTL + 1.0
WRONG_BY = 5.0  # seconds
SITES = ("site-1", "site-2", "site-3")


async def test_no_older_token_is_accepted_and_another_leads_in_time(fleet, run, tmp_path):
    chance = random.Random(SEED)
    leases = [f"lease-{number}" for number in range(LEASES)]
    places = [Site(name, fleet.ports, run, leases, TTL, chance.randrange(10**6)) for name in SITES]

    with campaigns(tmp_path, *places) as sites:
        await strike(sites, chance)
        seen = {site.site.name: site.end() for site in sites}

    about = f"seed {SEED}"
    by_lease = defaultdict(list)
    for each in (one for at_site in seen.values() for one in at_site):
        by_lease[each.lease].append(each)
    for lease, events in by_lease.items():
        assert_each_token_has_one_owner(events, f"{about}, {lease}")
        assert_no_older_token_is_accepted(events, f"{about}, {lease}")
        assert_somebody_leads_in_time(events, pauses(sites), f"{about}, {lease}")
    assert len(by_lease) == LEASES
    assert sum(one.kind == "refused" for events in by_lease.values() for one in events) > TRIALS / 4


async def strike(sites: list[Campaigners], chance: random.Random) -> None:
    """Pause one site after the other, and cut off masters of the others meanwhile."""
    trials = 0
    for victim in cycle(sites):
        if trials >= TRIALS:
            return
        seconds = chance.uniform(0.2, 2.2) * TTL
        for site in sites:
            site.drift(WRONG_BY)
        trials += victim.leads()
        victim.pause()
        trials += sum(site.cut_off(0.5, seconds) for site in sites if site is not victim)
        await asyncio.sleep(seconds)
        victim.go_on()
        await asyncio.sleep(TTL)  # what was queued while it was paused has come to an end


def assert_each_token_has_one_owner(events: Iterable[Seen], about: str) -> None:
    owners = defaultdict(set)
    for each in events:
        owners[each.token].add(each.worker)
    shared = {token: who for token, who in owners.items() if len(who) > 1}
    assert not shared, f"{about}: {shared}"


def assert_no_older_token_is_accepted(events: Iterable[Seen], about: str) -> None:
    accepted = sorted((each for each in events if each.kind == "written"), key=version)
    for earlier, later in pairwise(accepted):
        assert earlier.token <= later.token, f"{about}: {later} was accepted after {earlier}"


def assert_somebody_leads_in_time(
    events: list[Seen], pauses: dict[str, list[tuple[float, float]]], about: str
) -> None:
    """See that whoever was next led soon after the last that the service heard of a master."""
    touched: dict[int, float] = {}
    granted: dict[int, Seen] = {}
    for each in sorted(events, key=lambda event: event.returned):
        if each.kind in ("granted", "renewed"):
            at = _heard_at(each, pauses[each.worker])
            touched[each.token] = max(touched.get(each.token, at), at)
            granted.setdefault(each.token, each)
    for before, after in pairwise(sorted(granted)):
        heir = granted[after]
        if _was_paused(pauses[heir.worker], touched[before] + TTL, heir.returned):
            continue  # it could not notice in time that it led
        gap = heir.returned - touched[before]
        assert gap < FAILOVER_WITHIN, f"{about}: {gap:.3f} s until {heir}"


def _heard_at(each: Seen, paused: list[tuple[float, float]]) -> float:
    """Give the latest moment at which the service may have heard of a master."""
    if each.kind == "granted":
        return each.returned
    within = [start for start, _ in paused if each.invoked < start < each.returned]
    return min([each.returned, *within])


def _was_paused(paused: list[tuple[float, float]], since: float, until: float) -> bool:
    return any(start < until and end > since for start, end in paused)


def pauses(sites: list[Campaigners]) -> dict[str, list[tuple[float, float]]]:
    return {site.site.name: site.pauses for site in sites}


def version(each: Seen) -> int:
    return each.version
