"""Which Test IT server a run belongs to, and which token may be sent there.

A token goes only to the base URL that came with it: the configured token never travels to a
server that a worker named.
"""

from dataclasses import dataclass, field

from syncsvc.adapters.calling import checked_url
from syncsvc.errors import Rejected
from syncsvc.runs.model import Destination


@dataclass(frozen=True)
class TestItDestinations:
    """Knows the configured server; `token` is never shown."""

    __test__ = False  # not one of pytest's classes

    base_url: str | None
    token: str | None = field(repr=False)

    def named(self, base_url: str | None, token: str | None) -> Destination | None:
        if not base_url and not token:
            return None
        url = checked_url("baseUrl", base_url) if base_url else self._configured_url()
        if token:
            return Destination(url, token)
        if url == self._configured_url():
            return Destination(url)
        raise Rejected(f"privateToken: expected a token for {url}, found none")

    def default(self) -> Destination | None:
        if self.base_url is None or self.token is None:
            return None
        return Destination(self._configured_url())

    def token_for(self, destination: Destination) -> str:
        """Give the token that may be sent to a destination.

        Raises Rejected when there is none.
        """
        if destination.token is not None:
            return destination.token
        if self.token is not None and destination.base_url == self._configured_url():
            return self.token
        raise Rejected(
            f"no token for {destination.base_url}: set SYNCSVC_TESTIT_URL and "
            "SYNCSVC_TESTIT_TOKEN, or let a worker register with privateToken"
        )

    def _configured_url(self) -> str:
        if self.base_url is None:
            raise Rejected("baseUrl: expected the address of a Test IT server, found none")
        return checked_url("SYNCSVC_TESTIT_URL", self.base_url)
