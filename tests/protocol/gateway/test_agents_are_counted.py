"""Whoever watches the metrics sees how many agents are there, how many wait, and how syncs fare."""

import asyncio
import json

import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr
from websockets.asyncio.client import connect

from syncsvc.wiring.sync_figures import INCOMPLETE, LAG, QUARANTINED, RUNNING
from tests.support.waiting import until


async def test_connections_and_waits_are_gauged(gateway, api):
    url = f"ws://127.0.0.1:{gateway.testsync_ws_port}/runs/gauged?worker=w1"
    async with connect(url, proxy=None) as agent:
        wait = {"name": "start", "target": 2}
        await agent.send(json.dumps({"command": "checkpoint.wait", "id": 1, "content": wait}))
        status = {"command": "checkpoint.status", "id": 2, "content": {"name": "start"}}
        await agent.send(json.dumps(status))
        await agent.recv()

        told = (await api.get("/metrics")).text

        assert "syncsvc_agents 1.0" in told
        assert "syncsvc_agents_waiting 1.0" in told


@pytest.fixture
def settings(settings):
    for figure in (LAG, RUNNING, QUARANTINED, INCOMPLETE):
        figure.clear()  # of the gateways of other tests in this process
    return settings.model_copy(update={"testio_token": SecretStr("configured")})


@pytest.mark.usefixtures("gateway")
async def test_the_syncs_of_a_configured_customer_are_gauged(api):
    of_customer = {"customer": "default"}
    await asyncio.to_thread(
        until,
        lambda: REGISTRY.get_sample_value("syncsvc_sync_incomplete", of_customer) is not None,
        "the syncs are counted",
    )

    told = await metrics(api)

    assert told["syncsvc_sync_lag_seconds"] == "+Inf"
    assert told["syncsvc_sync_running"] == "0.0"
    assert told["syncsvc_sync_quarantined"] == "0.0"
    assert told["syncsvc_sync_incomplete"] == "0.0"


async def metrics(api) -> dict[str, str]:
    """Give the figures of the one customer that is configured."""
    lines = (await api.get("/metrics")).text.splitlines()
    told = [line.split('{customer="default"} ') for line in lines]
    return {name: value[0] for name, *value in told if value}
