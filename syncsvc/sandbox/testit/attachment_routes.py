"""Endpoints of attachments: their content is measured, and kept for a while."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncsvc.sandbox.bodies import read
from syncsvc.sandbox.replies import Missing, Refusal, json_reply
from syncsvc.sandbox.testit import parts
from syncsvc.sandbox.testit.library import Attachment
from syncsvc.sandbox.testit.multipart import File, files
from syncsvc.sandbox.testit.surface import Endpoints, id_in

MOST = 52_428_800  # bytes of one file, as the vendor has it
ENVELOPE = 65_536  # bytes that the form around a file may take


@dataclass(frozen=True)
class AttachmentEndpoints(Endpoints):
    def routes(self) -> list[Route]:
        all_ = f"{self.surface.prefix}/attachments"
        if not self.surface.full:
            return [
                Route(all_, self.upload, methods=["POST"]),
                Route(f"{all_}/bulk", self.upload_many, methods=["POST"]),
            ]
        return [
            Route(all_, self.upload, methods=["POST"]),
            Route(f"{all_}/{{id}}", self.content, methods=["GET"]),
            Route(f"{all_}/{{id}}/metadata", self.metadata, methods=["GET"]),
        ]

    async def upload(self, request: Request) -> Response:
        found = await _uploaded(request)
        return json_reply(parts.attachment(self._keep(found[0])), 201)

    async def upload_many(self, request: Request) -> Response:
        kept = [self._keep(each) for each in await _uploaded(request)]
        return json_reply([parts.attachment(each) for each in kept], 201)

    async def metadata(self, request: Request) -> Response:
        found = self.testit.library.attachments.get(id_in(request))
        if found is None:
            raise Missing("Attachment", id_in(request))
        return json_reply(parts.attachment(found))

    async def content(self, request: Request) -> Response:
        wanted, library = id_in(request), self.testit.library
        content = library.contents.get(wanted)
        if content is None:
            raise Missing("Content of attachment", wanted)
        return Response(content, media_type=library.attachments[wanted].media_type)

    def _keep(self, file: File) -> Attachment:
        library = self.testit.library
        attachment = Attachment(
            id=library.new_id(),
            name=file.name,
            media_type=file.media_type,
            size=len(file.content),
            sha256=sha256(file.content).hexdigest(),
            created=library.clock(),
        )
        return library.keep(attachment, file.content)


async def _uploaded(request: Request) -> Sequence[File]:
    body = await read(request, MOST + ENVELOPE)
    found = files(request.headers.get("content-type", ""), body)
    largest = max(len(each.content) for each in found)
    if largest > MOST:
        raise Refusal(400, f"found a file of {largest} bytes, expected at most {MOST}", "file")
    return found
