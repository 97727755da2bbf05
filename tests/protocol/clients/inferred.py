"""Clients that do not run here: what they say by their sources, in the headers of their HTTP.

Paths, fields, their values and the order of calls are those of the vendor's sources, or of our
notes on them (.NET and most of Go); the headers are those that each language's HTTP is documented
to send and were not recorded.
"""

from dataclasses import dataclass, field

from tests.protocol.clients.replay import Request, Session

JSON = "Content-Type: application/json"
JSON_UTF8 = "Content-Type: application/json; charset=utf-8"


@dataclass(frozen=True)
class Http:
    """How an HTTP client puts a request."""

    why: str  # what its headers are inferred from
    get: tuple[str, ...]
    post: tuple[str, ...]

    def request(self, method: str, path: str, body: str = "") -> Request:
        lines = self.post if method == "POST" else self.get
        return Request(1, (f"{method} {path} HTTP/1.1", *lines), body)


JERSEY = Http(
    "Jersey over HttpURLConnection",
    get=(
        "Accept: application/json",
        "User-Agent: OpenAPI-Generator/1.0.0/java",
        "Host: <host>",
        "Connection: keep-alive",
    ),
    post=(
        "Accept: application/json, text/plain",
        JSON,
        "User-Agent: OpenAPI-Generator/1.0.0/java",
        "Host: <host>",
        "Connection: keep-alive",
        "Content-Length: <length>",
    ),
)
NET_HTTP = Http(
    "HttpClient with StringContent",
    get=("Host: <host>", "Accept: application/json"),
    post=("Host: <host>", "Accept: application/json", JSON_UTF8, "Content-Length: <length>"),
)
NET_JSON = Http(
    "HttpClient with JsonContent, which knows no length",
    get=("Host: <host>",),
    post=("Host: <host>", "Transfer-Encoding: chunked", JSON_UTF8),
)
OKHTTP = Http(
    "OkHttp 4",
    get=(
        "Accept: application/json",
        "Host: <host>",
        "Connection: Keep-Alive",
        "Accept-Encoding: gzip",
        "User-Agent: okhttp/4.12.0",
    ),
    post=(
        "Accept: application/json, text/plain",
        JSON_UTF8,
        "Content-Length: <length>",
        "Host: <host>",
        "Connection: Keep-Alive",
        "Accept-Encoding: gzip",
        "User-Agent: okhttp/4.12.0",
    ),
)
GO = Http(
    "net/http",
    get=("Host: <host>", "User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip"),
    post=(
        "Host: <host>",
        "User-Agent: Go-http-client/1.1",
        "Content-Length: <length>",
        JSON,
        "Accept-Encoding: gzip",
    ),
)
FOUNDATION = Http(
    "URLSession",
    get=(
        "Host: <host>",
        "Accept: */*",
        "User-Agent: xctest/22720 CFNetwork/1494.0.7 Darwin/23.4.0",
        "Accept-Language: en-GB,en;q=0.9",
        "Accept-Encoding: gzip, deflate",
        "Connection: keep-alive",
    ),
    post=(
        "Host: <host>",
        JSON,
        "Connection: keep-alive",
        "Accept: */*",
        "User-Agent: xctest/22720 CFNetwork/1494.0.7 Darwin/23.4.0",
        "Content-Length: <length>",
        "Accept-Language: en-GB,en;q=0.9",
        "Accept-Encoding: gzip, deflate",
    ),
)
DART = Http(
    "dart:io, whose header names are in lower case",
    get=("user-agent: Dart/3.5 (dart:io)", "accept-encoding: gzip", "host: <host>"),
    post=(
        "user-agent: Dart/3.5 (dart:io)",
        "content-type: application/json; charset=utf-8",
        "accept-encoding: gzip",
        "content-length: <length>",
        "host: <host>",
    ),
)

STATUS = '{"pid":"<worker-1>","status":"%s","testRunId":"<run>"}'
FLAPPING = ("in_progress", "completed", "in_progress", "completed")


@dataclass(frozen=True)
class Client:
    """What one client says in its bodies."""

    name: str
    http: Http
    cut: str
    register: str = '{"pid":"<worker-1>","testRunId":"<run>"}'
    status: str = STATUS
    keep_alive: bool = False
    statuses: tuple[str, ...] = field(default=FLAPPING)  # the first comes before the cut

    def session(self) -> Session:
        return Session(self.name, f"inferred: {self.http.why}", tuple(self._requests()))

    def _requests(self) -> list[Request]:
        first, *later = [
            self.http.request("POST", "/set_worker_status", self.status % status)
            for status in self.statuses
        ]
        return [
            self.http.request("GET", "/health"),
            self.http.request("POST", "/register", self.register),
            *self._keeping_alive(),
            first,
            self.http.request("POST", "/in_progress_test_result?testRunId=<run>", self.cut),
            *later,
            self.http.request("GET", "/health"),
        ]

    def _keeping_alive(self) -> list[Request]:
        beat = '{"pid":"<worker-1>","testRunId":"<run>"}'
        return [self.http.request("POST", "/keep_alive", beat)] if self.keep_alive else []


PROJECT = "11111111-1111-1111-1111-111111111111"


def cut(external_id: str, code: str, kind: str, started: str = "") -> str:
    """Give a cut as most generated clients spell it."""
    more = f',"startedOn":{started}' if started else ""
    return (
        f'{{"projectId":"{PROJECT}","autoTestExternalId":"{external_id}",'
        f'"statusCode":"{code}","statusType":"{kind}"{more}}}'
    )


INFERRED = [
    Client(
        "Java HEAD",
        JERSEY,
        cut("java", "Passed", "Succeeded", '"2026-11-21T10:42:37.123Z"'),
        keep_alive=True,
        statuses=("in_progress", "in_progress", "in_progress", "completed"),
    ),
    Client(
        ".NET core (xUnit, SpecFlow) HEAD",
        NET_HTTP,
        cut("dotnet", "Passed", "Succeeded", '"2026-11-21T10:42:36.1234567+00:00"'),
        statuses=("in_progress", "completed", "completed"),
    ),
    Client(
        ".NET TmsRunner HEAD",
        NET_JSON,
        cut("runner", "NotFound", "Incomplete", '"2026-11-21T10:42:36Z"'),
        statuses=("in_progress", "completed"),
    ),
    Client("Kotlin HEAD", OKHTTP, cut("kotlin", "", "Succeeded")),
    Client("Go HEAD", GO, cut("go", "Passed", "Succeeded", '"2026-11-21T10:42:37Z"')),
    Client(
        "Swift HEAD",
        FOUNDATION,
        # Foundation escapes slashes and keeps no order of fields
        '{"statusType":"succeeded","autoTestExternalId":"Suite\\/swift()",'
        f'"statusCode":"Passed","projectId":"{PROJECT}"}}',
        register='{"testRunId":"<run>","privateToken":"<token>",'
        '"baseUrl":"http:\\/\\/127.0.0.1:9","pid":"<worker-1>"}',
        statuses=("in_progress", "completed"),
    ),
    Client(
        "Flutter HEAD",
        DART,
        cut("flutter", "InProgress", "Succeeded", '"2026-11-21T13:42:37.123456"'),
        register='{"pid":"<worker-1>","testRunId":"<run>","baseUrl":"<url>",'
        '"privateToken":"<token>"}',
        status='{"pid":"<worker-1>","testRunId":"<run>","status":"%s"}',
    ),
    Client(
        "Flutter, an older release",
        DART,
        '{"autoTestExternalId":"flutter","statusCode":"Passed"}',
        status='{"pid":"<worker-1>","testRunId":"<run>","status":"%s"}',
    ),
]
SESSIONS = [client.session() for client in INFERRED]
