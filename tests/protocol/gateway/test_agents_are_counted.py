"""Whoever watches the metrics sees how many agents are there, and how many wait."""

import json

from websockets.asyncio.client import connect


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
