"""Who asks, and what that takes: which scope a request needs, and which scopes imply it.

The table is read from its top; the first rule that fits a request decides.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from syncsvc.settings import ApiScope

DASHBOARD = "/api/dashboard/load-testing"
SYNC_JOB = f"{DASHBOARD}/sync-job"
SYNC_NOW = f"{DASHBOARD}/sync-status-steps"
LOAD_TESTS = "/api/v1/loadtests"

READS = frozenset({"GET", "HEAD"})
IMPLIED = {
    ApiScope.READ: frozenset({ApiScope.READ}),
    ApiScope.WRITE: frozenset({ApiScope.WRITE, ApiScope.READ}),
    ApiScope.MANAGE: frozenset({ApiScope.MANAGE, ApiScope.READ}),
    ApiScope.ADMIN: frozenset(ApiScope),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, by the credential that was shown."""

    name: str
    scopes: frozenset[ApiScope]

    def may(self, needed: Iterable[ApiScope]) -> bool:
        """Tell whether one of these scopes is among ours, or is implied by one of ours."""
        ours = {implied for scope in self.scopes for implied in IMPLIED[scope]}
        return not ours.isdisjoint(needed)


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret that says who asks; it is compared in constant time, whatever its length."""

    identity: Identity
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, name: str, secret: str, scopes: Iterable[ApiScope]) -> "Credential":
        return cls(Identity(name, frozenset(scopes)), digest_of(secret.encode()))

    def is_shown_by(self, digest: bytes) -> bool:
        return hmac.compare_digest(digest, self.digest)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What lets a request in. `sync_key` is good for nothing but running a cycle at once."""

    tokens: tuple[Credential, ...] = ()
    sync_key: Credential | None = None

    def good_for(self, method: str, path: str) -> tuple[Credential, ...]:
        """Give those that a request may show; without any it need not show one."""
        if self.sync_key is not None and (method, path) == ("POST", SYNC_NOW):
            return (*self.tokens, self.sync_key)
        return self.tokens


def digest_of(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


def needed(method: str, path: str) -> tuple[ApiScope, ...]:
    """Give the scopes of which a request needs one."""
    return next(scopes for fits, prefix, scopes in RULES if fits(method) and _in(prefix, path))


def shown_by(credentials: Iterable[Credential], secret: bytes) -> Identity | None:
    """Find whose secret this is; it takes as long whoever it is."""
    digest = digest_of(secret)
    found = [each.identity for each in credentials if each.is_shown_by(digest)]
    return found[0] if found else None


def _in(prefix: str, path: str) -> bool:
    return not prefix or path == prefix or path.startswith(f"{prefix}/")


def _reads(method: str) -> bool:
    return method in READS


def _any(_method: str) -> bool:
    return True


RULES = (
    (_reads, SYNC_NOW, (ApiScope.READ,)),  # it only counts, and never asked for anything
    (_any, DASHBOARD, (ApiScope.MANAGE,)),
    (_reads, "", (ApiScope.READ,)),
    (_any, LOAD_TESTS, (ApiScope.WRITE, ApiScope.MANAGE)),
    (_any, "", (ApiScope.WRITE,)),
)
