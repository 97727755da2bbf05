"""A short distributed test run, played through a running stack and its sandbox.

It talks as Test IT's adapters do: three workers register, the master hands its first result
over to be held back, all meet at a checkpoint, the others upload theirs, and the run must close
once, at the end. Then a load test runs and is watched while the catalogue is synced.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from syncsvc.client import connect
from syncsvc.embedded.catalogue_story import CatalogueStory, Synced
from syncsvc.embedded.loadtest_story import LoadTestStory, Watched
from syncsvc.errors import SyncsvcError, Unavailable
from syncsvc.sandbox.identities import CONFIGURATION_ID, PROJECT_ID, TOKEN

WORKERS = 3
TESTS_EACH = 4
HELD_TEST = "story_1_1"
MEETING = 30.0  # seconds
LONGEST_CALL = 95.0  # seconds; wait-completion answers within 90


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the story plays; username and password are for the sockets."""

    sync_storage: str
    sandbox: str
    sockets: str
    username: str = ""
    password: str = field(default="", repr=False)
    api: str = ""
    api_token: str = field(default="", repr=False)
    sync_key: str = field(default="", repr=False)  # lets load tests be looked at at once


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the sandbox's Test IT shows at the end."""

    run: str
    run_state: str
    results: int
    unfinished: int
    held_test: str
    held_status: str
    met: int  # workers, at the checkpoint
    catalogue: Synced
    load_test: Watched
    seconds: float

    @property
    def ok(self) -> bool:
        return (
            self.run_state == "Completed"
            and self.results == WORKERS * TESTS_EACH
            and self.unfinished == 0
            and self.held_status == "Succeeded"
            and self.met == WORKERS
            and self.catalogue.ok
            and self.load_test.ok
        )


async def play(stage: Stage, say: Callable[[str], None]) -> Outcome:
    """Play the run and tell what came of it.

    Raises Unavailable when something on the stage does not answer.
    """
    async with httpx.AsyncClient(timeout=LONGEST_CALL, trust_env=False) as http:
        try:
            return await _Run(http, stage, say).play()
        except (httpx.HTTPError, SyncsvcError) as error:
            raise Unavailable(f"the story stopped: {error!r}") from error


@dataclass
class _Run:
    http: httpx.AsyncClient
    stage: Stage
    say: Callable[[str], None]
    id: str = ""
    met: int = 0

    async def play(self) -> Outcome:
        started = time.monotonic()
        await self._begin()
        masters = [await self._register(worker) for worker in range(1, WORKERS + 1)]
        self.say(f"{WORKERS} workers registered, worker {masters.index(True) + 1} is master")
        await self._hold()
        self.met = len(await asyncio.gather(*(self._meet(name) for name in self._names())))
        self.say(f"{self.met} workers met at a checkpoint and begin together")
        await asyncio.gather(*(self._work(worker) for worker in range(1, WORKERS + 1)))
        self.say("every worker has uploaded its results and is done; waiting for quiet ...")
        answer = await self._storage("GET", f"/wait-completion?testRunId={self.id}")
        self.say(f"syncsvc says: {answer['message']}")
        load_test = self._load_test()
        step = await load_test.begin()
        catalogue = await self._catalogue()
        watched = await load_test.end(step)
        return await self._outcome(time.monotonic() - started, catalogue, watched)

    async def _begin(self) -> None:
        created = await self._test_it(
            "POST", "/testRuns", {"projectId": str(PROJECT_ID), "name": "syncsvc story"}
        )
        self.id = created["id"]
        for test in self._tests():
            body = {"externalId": test, "name": test, "projectId": str(PROJECT_ID)}
            await self._test_it("POST", "/autoTests", body, may_exist=True)
        self.say(f"run {self.id} created in the sandbox's Test IT")

    async def _register(self, worker: int) -> bool:
        body = {
            **self._worker(worker),
            "baseUrl": self.stage.sandbox,
            "privateToken": TOKEN,
        }
        answer = await self._storage("POST", "/register", body)
        await self._report(worker, "in_progress")
        return bool(answer["is_master"])

    async def _hold(self) -> None:
        cut = {
            "projectId": str(PROJECT_ID),
            "autoTestExternalId": HELD_TEST,
            "statusCode": "Passed",
            "statusType": "Succeeded",
            "startedOn": None,
        }
        await self._storage("POST", f"/in_progress_test_result?testRunId={self.id}", cut)
        await self._upload(HELD_TEST, "InProgress")
        self.say(f"result of {HELD_TEST} is held back: Test IT shows it in progress")

    async def _meet(self, worker: str) -> None:
        stage = self.stage
        async with connect(
            stage.sockets,
            run=self.id,
            worker=worker,
            username=stage.username,
            password=stage.password,
        ) as run:
            await run.checkpoint("start").wait(target=WORKERS, timeout=MEETING)

    async def _work(self, worker: int) -> None:
        for test in self._tests(worker):
            if test != HELD_TEST:
                await self._upload(test, "Succeeded")
        await self._report(worker, "completed")

    async def _catalogue(self) -> Synced:
        stage = self.stage
        return await CatalogueStory(self.http, stage.api, stage.api_token, self.say).play()

    def _load_test(self) -> LoadTestStory:
        stage, name = self.stage, f"story-{self.id[:8]}"
        key = stage.sync_key or stage.api_token
        return LoadTestStory(
            self.http, stage.api, stage.api_token, key, stage.sandbox, name, self.say
        )

    async def _outcome(self, seconds: float, catalogue: Synced, load_test: Watched) -> Outcome:
        run = await self._test_it("GET", f"/testRuns/{self.id}")
        wanted = {"testRunIds": [self.id]}
        results = await self._test_it("POST", "/testResults/search?Skip=0&Take=100", wanted)
        status = {r["autotestExternalId"]: r["status"]["type"] for r in results}
        unfinished = sum(kind in ("InProgress", "Pending") for kind in status.values())
        return Outcome(
            run=self.id,
            run_state=run["stateName"],
            results=len(results),
            unfinished=unfinished,
            held_test=HELD_TEST,
            held_status=status.get(HELD_TEST, "missing"),
            met=self.met,
            catalogue=catalogue,
            load_test=load_test,
            seconds=round(seconds, 1),
        )

    async def _upload(self, test: str, status_type: str) -> None:
        result = {
            "configurationId": str(CONFIGURATION_ID),
            "autoTestExternalId": test,
            "statusType": status_type,
        }
        await self._test_it("POST", f"/testRuns/{self.id}/testResults", [result])

    async def _report(self, worker: int, status: str) -> None:
        await self._storage(
            "POST", "/set_worker_status", {**self._worker(worker), "status": status}
        )

    def _worker(self, worker: int) -> dict[str, str]:
        return {"pid": self._names()[worker - 1], "testRunId": self.id}

    def _names(self) -> list[str]:
        return [f"story-worker-{worker}" for worker in range(1, WORKERS + 1)]

    def _tests(self, *workers: int) -> list[str]:
        whose = workers or range(1, WORKERS + 1)
        return [f"story_{worker}_{test}" for worker in whose for test in range(1, TESTS_EACH + 1)]

    async def _storage(self, method: str, path: str, body: object = None) -> Any:
        answer = await self.http.request(method, self.stage.sync_storage + path, json=body)
        return answer.raise_for_status().json()

    async def _test_it(
        self, method: str, path: str, body: object = None, *, may_exist: bool = False
    ) -> Any:
        url = f"{self.stage.sandbox}/api/v2{path}"
        headers = {"Authorization": f"PrivateToken {TOKEN}"}
        answer = await self.http.request(method, url, json=body, headers=headers)
        if may_exist and answer.status_code == httpx.codes.CONFLICT:
            return None
        return answer.raise_for_status().json()
