"""However masters are paused, cut off and wrong about the time, no older token is ever accepted.

Three processes have a candidate each for many leases. Whoever leads renews, and writes to the
blackboard with its token, for as long as its own clock says. One process after the other is
stopped in its tracks, a share of the other masters is cut off, and every clock is set wrong.
A trial is one master that was struck.
"""

import asyncio
import os
import random
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import cycle, pairwise
from pathlib import Path

import pytest

from tests.support.agents import Agent
from tests.support.campaigners import Campaigners, Seen, Site, campaigns
from tests.support.fleet import Fleet, running_fleet

pytestmark = [pytest.mark.cluster, pytest.mark.alone, pytest.mark.timeout(300)]

SEED = int(os.environ.get("SYNCSVC_TEST_SEED", random.SystemRandom().randrange(10**6)))
TRIALS, SHIFTED_TRIALS, LEASES = 1000, 250, 150
TTL = 0.5  # seconds, the shortest there is
FAILOVER_WITHIN = TTL + 1.0
WRONG_BY = 5.0  # seconds
SITES = ("site-1", "site-2", "site-3")
CAMPAIGN = {"name": "leader", "ttl_seconds": TTL}


async def test_no_older_token_is_accepted_and_another_leads_in_time(fleet, run, tmp_path):
    leases, sites = await campaign(fleet, run, tmp_path, TRIALS)

    for lease, events in leases.items():
        assert_each_token_has_one_owner(events, lease)
        assert_no_older_token_is_accepted(events, lease)
        assert_somebody_leads_in_time(events, pauses(sites), lease)
    assert refusals(leases) > TRIALS / 20, f"seed {SEED}"


async def test_no_older_token_is_accepted_by_gateways_whose_clocks_differ(tmp_path, run):
    with (
        running_fleet(tmp_path, gateways=0) as fleet,
        shifted(fleet, -WRONG_BY),
        shifted(fleet, WRONG_BY),
    ):
        fleet.wait_until_ready()
        leases, _ = await campaign(fleet, run, tmp_path, SHIFTED_TRIALS)

    for lease, events in leases.items():
        assert_each_token_has_one_owner(events, lease)
        assert_no_older_token_is_accepted(events, lease)
    assert refusals(leases) > SHIFTED_TRIALS / 20, f"seed {SEED}"


async def test_the_next_in_line_leads_in_time_though_one_after_the_other_dies(fleet, run):
    first, *others = [
        await Agent.connect(port, run, f"candidate-{number}")
        for number, port in enumerate([*fleet.ports, *fleet.ports])
    ]
    await first.call("leader.campaign", **CAMPAIGN)
    leading = []
    for each in others:
        leading.append(each.begin("leader.campaign", wait_seconds=30, **CAMPAIGN))
        await each.call("leader.observe", name=CAMPAIGN["name"])  # it stands in line by now

    for each in leading:
        assert (await asyncio.wait_for(each, FAILOVER_WITHIN))["granted"]


async def campaign(
    fleet: Fleet, run: str, folder: Path, trials: int
) -> tuple[dict[str, list[Seen]], list[Campaigners]]:
    """Play the trials, and give what was seen of each lease, and where."""
    chance = random.Random(SEED)
    names = [f"lease-{number}" for number in range(LEASES)]
    places = [Site(name, fleet.ports, run, names, TTL, chance.randrange(10**6)) for name in SITES]
    with campaigns(folder, *places) as sites:
        await strike(sites, chance, trials)
        seen = [each for site in sites for each in site.end()]
    return {name: [each for each in seen if each.lease == name] for name in names}, sites


@contextmanager
def shifted(fleet: Fleet, seconds: float) -> Iterator[None]:
    """Add a gateway whose leases go by a clock that is wrong."""
    command = [sys.executable, "-m", "tests.support.shifted_gateway", str(seconds)]
    with fleet.another_gateway(command):
        yield


async def strike(sites: list[Campaigners], chance: random.Random, trials: int) -> None:
    """Pause one site after the other, and cut off masters of the others meanwhile."""
    struck = 0
    for victim in cycle(sites):
        if struck >= trials:
            return
        seconds = chance.uniform(0.2, 2.2) * TTL
        for site in sites:
            site.drift(WRONG_BY)
        struck += victim.leads()
        victim.pause()
        struck += sum(site.cut_off(0.5, seconds) for site in sites if site is not victim)
        await asyncio.sleep(seconds)
        victim.go_on()
        await asyncio.sleep(TTL)  # what was queued while it was paused has come to an end


def assert_each_token_has_one_owner(events: Iterable[Seen], lease: str) -> None:
    owners = defaultdict(set)
    for each in events:
        owners[each.token].add(each.worker)
    shared = {token: who for token, who in owners.items() if len(who) > 1}
    assert not shared, f"seed {SEED}, {lease}: {shared}"


def assert_no_older_token_is_accepted(events: Iterable[Seen], lease: str) -> None:
    accepted = sorted((each for each in events if each.kind == "written"), key=version)
    for earlier, later in pairwise(accepted):
        assert earlier.token <= later.token, (
            f"seed {SEED}, {lease}: {later} was accepted after {earlier}"
        )


def assert_somebody_leads_in_time(
    events: list[Seen], pauses: dict[str, list[tuple[float, float]]], lease: str
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
        assert gap < FAILOVER_WITHIN, f"seed {SEED}, {lease}: {gap:.3f} s until {heir}"


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


def refusals(leases: dict[str, list[Seen]]) -> int:
    """Count what was refused to those who led no more: without any, nothing was tried."""
    return sum(each.kind == "refused" for events in leases.values() for each in events)


def version(each: Seen) -> int:
    return each.version
