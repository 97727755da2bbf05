"""Who may ask what: users by their tokens, and rights that can be taken away."""

from collections.abc import Sequence

from msgspec import Struct

from syncsvc.sandbox.identities import KUBERNETES_ADMIN_TOKEN, KUBERNETES_NOBODY_TOKEN
from syncsvc.sandbox.kubernetes.asked import Asked
from syncsvc.sandbox.kubernetes.status import Failure, about, qualified

ANONYMOUS = "system:anonymous"
ADMIN = "admin"
NOBODY = "nobody"
READER = "syncsvc"
READS = ("get", "list", "watch")
READABLE = ("testruns", "pods", "pods/log", "jobs", "namespaces")
FOR_ALL = ("/version", "/healthz", "/livez", "/readyz")


class Forbidden(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calls that nobody may make; what is left out means any."""

    verb: str | None = None
    resource: str | None = None
    namespace: str | None = None

    def means(self, asked: Asked) -> bool:
        return (
            self.verb in (None, asked.verb)
            and self.resource in (None, asked.right)
            and self.namespace in (None, asked.namespace)
        )


def user_of(authorization: str, readers: Sequence[str]) -> str:
    """Find out who asks. Raises Failure 401 for a token of nobody."""
    if not authorization:
        return ANONYMOUS
    token = authorization.removeprefix("Bearer ")
    users = {KUBERNETES_ADMIN_TOKEN: ADMIN, KUBERNETES_NOBODY_TOKEN: NOBODY}
    users.update(dict.fromkeys(readers, READER))
    if token == authorization or token not in users:
        raise Failure(401, "Unauthorized")
    return users[token]


def check(user: str, asked: Asked, forbidden: Sequence[Forbidden]) -> None:
    """Raise Failure 403 when this user lacks the right."""
    if asked.resource is None:
        if user == ANONYMOUS and asked.path not in FOR_ALL:
            _refuse_path(user, asked)
        return
    denied = any(each.means(asked) for each in forbidden)
    if denied or not _may(user, asked):
        _refuse(user, asked)


def _may(user: str, asked: Asked) -> bool:
    if user == READER:
        return asked.verb in READS and asked.right in READABLE
    return user == ADMIN


def _refuse(user: str, asked: Asked) -> None:
    of = qualified(asked.resource or "", asked.group)
    named = f'{of} "{asked.name}"' if asked.name else of
    where = "at the cluster scope"
    if asked.namespace is not None:
        where = f'in the namespace "{asked.namespace}"'
    text = (
        f'{named} is forbidden: User "{user}" cannot {asked.verb} resource "{asked.right}" '
        f'in API group "{asked.group}" {where}'
    )
    raise Failure(403, text, about(asked.name, asked.group, asked.resource or ""))


def _refuse_path(user: str, asked: Asked) -> None:
    raise Failure(403, f'forbidden: User "{user}" cannot {asked.verb} path "{asked.path}"', {})
