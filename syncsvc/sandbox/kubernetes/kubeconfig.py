"""A kubeconfig for a sandbox's clusters, as kubectl and syncsvc read it."""

from collections.abc import Mapping

import msgspec


def kubeconfig(
    servers: Mapping[str, str], current: str, user: str, token: str, **context: str
) -> bytes:
    """Write one with a context for each cluster, by its name; JSON is YAML too.

    Each context says `context` too, such as a namespace.
    """
    contexts = [{"name": n, "context": {"cluster": n, "user": user, **context}} for n in servers]
    shown = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": n, "cluster": {"server": url}} for n, url in servers.items()],
        "contexts": contexts,
        "users": [{"name": user, "user": {"token": token}}],
        "current-context": current,
    }
    return msgspec.json.format(msgspec.json.encode(shown))
