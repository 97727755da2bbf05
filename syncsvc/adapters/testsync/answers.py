"""What TestSync's HTTP port answers, byte for byte."""

from dataclasses import dataclass

import msgspec

from syncsvc.adapters.testsync.sniffing import TEXT, sniff

JSON = b"application/json; charset=UTF-8"
Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, its headers but for Content-Length, and a body."""

    status: int
    body: bytes = b""
    headers: Headers = ()

    def all_headers(self) -> list[tuple[bytes, bytes]]:
        return [*self.headers, (b"Content-Length", b"%d" % len(self.body))]


def content(body: bytes) -> Answer:
    """Give stored content as it is; its type is guessed, and nothing has no type."""
    return Answer(200, body, ((b"Content-Type", sniff(body)),) if body else ())


def refusal(status: int, message: str) -> Answer:
    said = msgspec.json.encode({"code": status, "error": message})
    return Answer(status, said + b"\n", ((b"Content-Type", JSON),))


def moved(location: bytes) -> Answer:
    return Answer(301, headers=((b"Location", location),))


def no_number(digits: str) -> Answer:
    return refusal(400, f'Unable to parse testID as int: invalid integer "{digits}"')


_PLAIN = (b"Content-Type", TEXT)

PROVERB = Answer(200, b"A random proverb that is very intellectual.\n", (_PLAIN,))
HEALTH = Answer(200, b'{"status":"ok"}', ((b"Content-Type", JSON),))
NO_PAGE = Answer(404, b"404 page not found\n", (_PLAIN, (b"X-Content-Type-Options", b"nosniff")))
WRONG_METHOD = Answer(405)
UNAUTHORISED = refusal(401, "Request not authorized")
NO_TEST = refusal(404, "Could not find test")
HAS_DATA = refusal(409, "Provided test already has set data")
TOO_LARGE = refusal(413, "Request data too large")
NOT_STORED = refusal(500, "Could not store data")
NOT_READ = refusal(500, "Could not read data")
TIMED_OUT = Answer(
    503,
    b'{"code":503,"error":"Request timed out"}',
    (_PLAIN, (b"Connection", b"close")),
)
