"""Endpoints of the project: its workflow, configurations, autotests and work items."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncsvc.sandbox.identities import PROJECT_ID, WORKFLOW_ID
from syncsvc.sandbox.replies import Missing, json_reply
from syncsvc.sandbox.testit import catalogue_wire
from syncsvc.sandbox.testit.catalogue_wire import EVERYTHING
from syncsvc.sandbox.testit.library import Autotest, matches_any
from syncsvc.sandbox.testit.requests import (
    AutotestFilter,
    AutotestIncludes,
    ConfigurationFilter,
    LinkWorkItem,
    SearchAutotests,
    WriteAutotest,
)
from syncsvc.sandbox.testit.surface import Endpoints, body, id_in, nothing, page_of


@dataclass(frozen=True)
class ProjectEndpoints(Endpoints):
    def routes(self) -> list[Route]:
        prefix = self.surface.prefix
        configurations = f"{prefix}/configurations"
        return [
            Route(f"{prefix}/projects/{{id}}", self.project, methods=["GET"]),
            Route(f"{prefix}/workflows/{{id}}", self.workflow, methods=["GET"]),
            Route(f"{prefix}/workItems/{{id}}", self.work_item, methods=["GET"]),
            Route(f"{configurations}/search", self.configurations, methods=["POST"]),
            Route(f"{configurations}/{{id}}", self.configuration, methods=["GET"]),
        ]

    async def project(self, request: Request) -> Response:
        if request.path_params["id"].lower() not in (str(PROJECT_ID), "1"):
            raise Missing("Project", request.path_params["id"])
        shown = catalogue_wire.project(len(self.testit.library.autotests))
        if not self.surface.full:  # which alone tells of the workflow at once
            shown["workflow"] = catalogue_wire.workflow()
        return self.reply("Project", shown)

    async def workflow(self, request: Request) -> Response:
        if id_in(request) != WORKFLOW_ID:
            raise Missing("Workflow", request.path_params["id"])
        return self.reply("Workflow", catalogue_wire.workflow())

    async def work_item(self, request: Request) -> Response:
        number = self.testit.library.work_item(request.path_params["id"])
        return self.reply("WorkItem", catalogue_wire.work_item(self.testit.library, number))

    async def configurations(self, request: Request) -> Response:
        page = page_of(request)
        wanted = await body(request, ConfigurationFilter)
        found = [
            catalogue_wire.configuration(each)
            for each in self.testit.library.configurations.values()
            if matches_any(wanted.project_ids, [PROJECT_ID])
            and matches_any(wanted.global_ids, [each.global_id])
            and (wanted.name or "").casefold() in each.name.casefold()
            and not wanted.is_deleted
        ]
        return json_reply(page.of(found), headers=page.headers(len(found)))

    async def configuration(self, request: Request) -> Response:
        found = self.testit.library.configuration(id_in(request))
        return json_reply(catalogue_wire.configuration(found))


@dataclass(frozen=True)
class AutotestEndpoints(Endpoints):
    def routes(self) -> list[Route]:
        all_ = f"{self.surface.prefix}/autoTests"
        work_items = f"{all_}/{{id}}/{self.surface.work_items}"
        return [
            Route(all_, self.create, methods=["POST"]),
            Route(all_, self.update, methods=["PUT"]),
            Route(f"{all_}/bulk", self.create_many, methods=["POST"]),
            Route(f"{all_}/bulk", self.update_many, methods=["PUT"]),
            Route(f"{all_}/search", self.search, methods=["POST"]),
            Route(f"{all_}/{{id}}", self.show, methods=["GET"]),
            Route(work_items, self.work_items, methods=["GET"]),
            Route(work_items, self.link, methods=["POST"]),
            Route(work_items, self.unlink, methods=["DELETE"]),
        ]

    async def create(self, request: Request) -> Response:
        created = self.testit.library.create([await body(request, WriteAutotest)])
        return self.reply("Autotest", catalogue_wire.autotest(created[0], EVERYTHING), 201)

    async def create_many(self, request: Request) -> Response:
        created = self.testit.library.create(await body(request, list[WriteAutotest]))
        return self.replies("Autotest", _shown(created, EVERYTHING), 201)

    async def update(self, request: Request) -> Response:
        self.testit.library.update([await body(request, WriteAutotest)])
        return nothing()

    async def update_many(self, request: Request) -> Response:
        self.testit.library.update(await body(request, list[WriteAutotest]))
        return nothing()

    async def search(self, request: Request) -> Response:
        page = page_of(request)
        wanted = await body(request, SearchAutotests)
        found = self.testit.library.search(wanted.filter or AutotestFilter())
        shown = _shown(page.of(found), wanted.includes or AutotestIncludes())
        reduced = [self.surface.show("Autotest", each) for each in shown]
        return json_reply(reduced, headers=page.headers(len(found)))

    async def show(self, request: Request) -> Response:
        found = self.testit.library.autotest(request.path_params["id"])
        return self.reply("Autotest", catalogue_wire.autotest(found, EVERYTHING))

    async def work_items(self, request: Request) -> Response:
        found = self.testit.library.autotest(request.path_params["id"])
        return json_reply(catalogue_wire.work_item_ids(self.testit.library, found))

    async def link(self, request: Request) -> Response:
        wanted = await body(request, LinkWorkItem)
        self.testit.library.link(request.path_params["id"], wanted.id)
        return nothing()

    async def unlink(self, request: Request) -> Response:
        work_item = request.query_params.get("workItemId")
        self.testit.library.unlink(request.path_params["id"], work_item)
        return nothing()


def _shown(
    autotests: Iterable[Autotest], includes: AutotestIncludes
) -> Sequence[dict[str, object]]:
    return [catalogue_wire.autotest(each, includes) for each in autotests]
