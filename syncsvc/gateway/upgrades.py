"""Offers to leave HTTP/1.1, which a server may decline: the request is then served as it is.

Java's HttpClient and `curl --http2` offer HTTP/2 along with a whole request. The parser takes an
offer for the end of HTTP and reads no body, so the head is read again, without the offer.
"""

from typing import Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

OFFER = (b"upgrade", b"http2-settings")


class Listener(Protocol):
    """What hears of a request, as httptools tells it; it keeps the request line's target."""

    url: bytes
    headers: list[tuple[bytes, bytes]]


class DecliningParser:
    """Reads requests like httptools' own parser, and goes on when an upgrade is offered.

    While `should_upgrade` the listener hears of a request that it will hear of again.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._parser = _parser(listener)

    def feed_data(self, data: bytes) -> None:
        """Raises HttpParserError for what is no HTTP, and for CONNECT."""
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as offered:
            plain = self._plain_head()
            self._parser = _parser(self._listener)
            self._parser.feed_data(plain)
            self.feed_data(data[offered.args[0] :])

    def get_method(self) -> bytes:
        return bytes(self._parser.get_method())

    def get_http_version(self) -> str:
        return str(self._parser.get_http_version())

    def should_keep_alive(self) -> bool:
        return bool(self._parser.should_keep_alive())

    def should_upgrade(self) -> bool:
        return bool(self._parser.should_upgrade())

    def _plain_head(self) -> bytes:
        method = self.get_method()
        if method == b"CONNECT":
            raise HttpParserError("expected a request to this server, found one to pass on")
        version = self.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (method, self._listener.url, version)]
        for name, value in self._listener.headers:
            if name == b"connection":
                lines.append(b"connection: " + _without_offer(value))
            elif name not in OFFER:
                lines.append(name + b": " + value)
        return b"\r\n".join([*lines, b"", b""])


def _parser(listener: Listener) -> HttpRequestParser:
    parser = HttpRequestParser(listener)
    # as uvicorn does, so that a pipelined request that ends the connection is answered
    parser.set_dangerous_leniencies(lenient_data_after_close=True)
    return parser


def _without_offer(connection: bytes) -> bytes:
    tokens = [token.strip() for token in connection.split(b",")]
    return b", ".join(token for token in tokens if token.lower() not in OFFER)
