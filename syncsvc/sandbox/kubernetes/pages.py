"""Lists: in pages, at one version, with tokens that can grow too old."""

import base64
import binascii
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from syncsvc.sandbox.kubernetes.asked import Asked
from syncsvc.sandbox.kubernetes.model import API_VERSIONS, NAMES, Kind
from syncsvc.sandbox.kubernetes.selectors import Selection, selection
from syncsvc.sandbox.kubernetes.status import Failure, bad_request
from syncsvc.sandbox.kubernetes.store import Store, Stored
from syncsvc.sandbox.kubernetes.wire import item, partial

_VERSION = "meta.k8s.io/v1"
_NOW = -1  # the version of a token that goes on with whatever there is
_TOO_OLD = "The provided continue parameter is too old to display a consistent list result."


class Token(Struct, frozen=True):
    """Where a list goes on: at which version, after which key."""

    rv: int
    start: str
    v: str = _VERSION

    def text(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


@dataclass(frozen=True)
class Page:
    items: Sequence[Stored]
    version: int
    go_on: str = ""
    remaining: int | None = None


@dataclass
class Lists:
    """Answers lists from a store; `expired` is how many of the next pages shall be too late."""

    store: Store
    expired: int = 0

    def body(self, kind: Kind, asked: Asked, accept: str) -> bytes:
        page = self.page(kind, asked)
        if "as=PartialObjectMetadataList" in accept:
            shown = [partial(each) for each in page.items]
            return _joined(_VERSION, "PartialObjectMetadataList", page, shown)
        shown = [item(kind, each) for each in page.items]
        if kind is Kind.TESTRUNS:
            return _joined_custom(kind, page, shown)
        return _joined(API_VERSIONS[kind], f"{NAMES[kind]}List", page, shown)

    def page(self, kind: Kind, asked: Asked) -> Page:
        query = asked.query
        meant = selection(
            kind, asked.namespace, query.get("labelSelector", ""), query.get("fieldSelector", "")
        )
        limit = asked.number("limit") or 0
        version = version_of(query.get("resourceVersion", ""))
        if token := query.get("continue"):
            return self._next_page(kind, meant, _token(token), limit)
        self._check(version, query.get("resourceVersionMatch", ""))
        everything = self.store.listed(kind)
        return self._cut(kind, meant, everything, self.store.version, 0 if version == 0 else limit)

    def _next_page(self, kind: Kind, meant: Selection, token: Token, limit: int) -> Page:
        version = self.store.version if token.rv == _NOW else token.rv
        everything = self.store.kept(kind, version) if token.rv != _NOW else self.store.listed(kind)
        if self.expired > 0 and token.rv != _NOW:
            self.expired -= 1
            everything = None
        if everything is None:
            metadata = {"continue": Token(_NOW, token.start).text()}
            raise Failure(410, _TOO_OLD, metadata=metadata)
        after = _key(token.start, meant.namespace)
        place = bisect_left(everything, after, key=lambda each: each.object.meta.key)
        return self._cut(kind, meant, everything[place:], version, limit)

    def _cut(
        self, kind: Kind, meant: Selection, found: Sequence[Stored], version: int, limit: int
    ) -> Page:
        means = meant.means
        found = [each for each in found if means(each.object)]
        if not limit or len(found) <= limit:
            return Page(found, version)
        if version == self.store.version:
            self.store.keep(kind)
        namespace, name = found[limit - 1].object.meta.key
        start = f"/{name}\0" if meant.namespace is not None else f"/{namespace}/{name}\0"
        remaining = None if meant.is_narrow else len(found) - limit
        return Page(found[:limit], version, Token(version, start).text(), remaining)

    def _check(self, version: int | None, match: str) -> None:
        if version is not None and version > self.store.version:
            raise too_large(version, self.store.version)
        if match == "Exact" and version != self.store.version:
            text = f"The provided resource version is too old: {version}"
            raise Failure(410, text)


def too_large(version: int, current: int) -> Failure:
    short = "Too large resource version"
    causes = [{"reason": "ResourceVersionTooLarge", "message": short}]
    details = {"causes": causes, "retryAfterSeconds": 1}
    return Failure(504, f"Timeout: {short}: {version}, current: {current}", details)


def version_of(text: str) -> int | None:
    """Read a resourceVersion; no text is no version."""
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()):
        raise bad_request(
            f'invalid resource version: resourceVersion: Invalid value: "{text}": '
            f'strconv.ParseUint: parsing "{text}": invalid syntax'
        )
    return int(text)


def _token(text: str) -> Token:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=Token)
    except binascii.Error as error:
        said = f"illegal base64 data at input byte {len(text) - len(text) % 4}"
        raise bad_request(f"invalid continue token: continue key is not valid: {said}") from error
    except (msgspec.MsgspecError, ValueError) as error:
        said = "continue key is not valid"
        raise bad_request(f"invalid continue token: {said}") from error


def _key(start: str, namespace: str | None) -> tuple[str, str]:
    parts = start.strip("/").split("/")
    return (namespace, parts[-1]) if namespace is not None else (parts[0], parts[-1])


def _joined(version: str, kind: str, page: Page, shown: Sequence[bytes]) -> bytes:
    metadata: dict[str, object] = {"resourceVersion": str(page.version)}
    if page.go_on:
        metadata["continue"] = page.go_on
    if page.remaining is not None:
        metadata["remainingItemCount"] = page.remaining
    head = f'{{"kind":"{kind}","apiVersion":"{version}","metadata":'.encode()
    told = msgspec.json.encode(metadata)
    return b"".join((head, told, b',"items":[', b",".join(shown), b"]}\n"))


def _joined_custom(kind: Kind, page: Page, shown: Sequence[bytes]) -> bytes:
    """Join what a custom resource's list says, which always has a word on going on."""
    metadata: dict[str, object] = {"continue": page.go_on}
    if page.remaining is not None:
        metadata["remainingItemCount"] = page.remaining
    metadata["resourceVersion"] = str(page.version)
    head = f'{{"apiVersion":"{API_VERSIONS[kind]}","items":['.encode()
    tail = f'],"kind":"{NAMES[kind]}List","metadata":'.encode()
    return b"".join((head, b",".join(shown), tail, msgspec.json.encode(metadata), b"}\n"))
