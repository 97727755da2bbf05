"""The master of a run as others see it: over the API, and by observing its lease."""

import asyncio

IN_PROGRESS, COMPLETED = "in_progress", "completed"


async def register(storage, run, worker):
    return (await storage.post("/register", json={"pid": worker, "testRunId": run})).json()


async def report(storage, run, worker, status):
    body = {"pid": worker, "status": status, "testRunId": run}
    return await storage.post("/set_worker_status", json=body)


async def observe(api, run, **content):
    content = {"name": "master", **content}
    return (await api.post(f"/api/v1/runs/{run}/leader.observe", json=content)).json()


async def test_the_master_of_a_run_is_the_leader_named_master(storage, api):
    await register(storage, "observed", "a")

    seen = await observe(api, "observed")
    shown = (await api.get("/api/v1/runs/observed")).json()

    assert (seen["leader"], seen["changed"]) == ("a", True)
    assert seen["token"] == shown["master_token"]


async def test_whoever_observes_is_told_when_the_master_has_completed_and_of_the_next(storage, api):
    await register(storage, "succession", "a")
    await report(storage, "succession", "a", IN_PROGRESS)
    first = await observe(api, "succession")

    observing = asyncio.create_task(
        observe(api, "succession", after_token=first["token"], wait_seconds=60)
    )
    await report(storage, "succession", "a", COMPLETED)
    nobody = await asyncio.wait_for(observing, 60)
    observing = asyncio.create_task(observe(api, "succession", after_token=0, wait_seconds=60))
    is_master = (await register(storage, "succession", "b"))["is_master"]
    second = await asyncio.wait_for(observing, 60)

    assert (nobody["leader"], is_master, second["leader"]) == (None, True, "b")
    assert second["token"] > first["token"]
