"""Request bodies have a limit, and whoever passes it is told so before we read on."""

from starlette.requests import Request

from syncsvc.errors import Rejected, TooLarge


async def read_body(request: Request, limit: int) -> bytes:
    """Read a body of at most `limit` bytes.

    Raises TooLarge, or Rejected when Content-Length is no number.
    """
    announced = request.headers.get("content-length")
    if announced is not None and not announced.isdigit():
        raise Rejected(f"Content-Length: expected a number, found {announced[:40]!r}")
    if announced is not None and int(announced) > limit:
        raise _too_large(limit, int(announced))
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit, size)
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int, found: int) -> TooLarge:
    return TooLarge(f"body: expected at most {limit} bytes, found {found} or more")
