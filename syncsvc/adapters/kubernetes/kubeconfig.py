"""Ways into clusters, as kubectl's configuration files tell them.

Only the contexts that are asked for are read. An error says file, context, field, expected and
found, and never shows a secret.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from syncsvc.adapters.kubernetes import kubeconfig_shapes as shapes
from syncsvc.adapters.kubernetes.access import DEFAULT_NAMESPACE, Access
from syncsvc.adapters.kubernetes.kubeconfig_files import Entry, Kind, Merged, read_kubeconfig
from syncsvc.adapters.kubernetes.kubeconfig_places import Place
from syncsvc.adapters.kubernetes.kubeconfig_users import credentials_of
from syncsvc.errors import Rejected

FOR_PLUGINS = "client.authentication.k8s.io/exec"  # what a cluster tells them of itself


def from_kubeconfig(
    path: str | Path | None, contexts: Sequence[str], environ: Mapping[str, str]
) -> tuple[Access, ...]:
    """Give the ways that `contexts` name; without any it is the current one.

    Without a path KUBECONFIG counts, which may list several files, then ~/.kube/config. Raises
    Rejected for what is not there or is not as it must be.
    """
    merged = read_kubeconfig(path, environ)
    asked = contexts or (_current(merged),)
    return tuple(_Reading(merged, name, environ).access() for name in asked)


def _current(merged: Merged) -> str:
    if merged.current:
        return merged.current
    raise Rejected(
        f"{merged.origin}: current-context: expected one of {merged.names('contexts')}, found none"
    )


@dataclass(frozen=True)
class _Reading:
    """One context, being read."""

    merged: Merged
    name: str
    environ: Mapping[str, str] = field(repr=False)

    def access(self) -> Access:
        context = self._context()
        cluster, at = self._cluster(context)
        user, user_at = self._user(context)
        ca = _authorities(cluster, at)
        return Access(
            self.name,
            at.url("server", cluster.server),
            credentials_of(user, user_at, _told_of(cluster, ca), self.environ),
            ca=ca,
            verify=not cluster.insecure_skip_tls_verify,
            server_name=cluster.tls_server_name or None,
            proxy=cluster.proxy_url or None,
            namespace=context.namespace or DEFAULT_NAMESPACE,
        )

    def _context(self) -> shapes.Context:
        entry = self.merged.find("contexts", self.name)
        if entry is None:
            names = self.merged.names("contexts")
            raise Rejected(
                f"{self.merged.origin}: contexts: expected one of {names}, found {self.name!r}"
            )
        return self._at(entry, "contexts", self.name).read(entry.content, shapes.Context)

    def _cluster(self, context: shapes.Context) -> tuple[shapes.Cluster, Place]:
        entry = self._meant("clusters", context.cluster, "cluster")
        at = self._at(entry, "clusters", context.cluster)
        return at.read(entry.content, shapes.Cluster), at

    def _user(self, context: shapes.Context) -> tuple[shapes.User, Place]:
        if not context.user:
            return shapes.User(), Place(self.merged.files[0], self.name, "users")
        entry = self._meant("users", context.user, "user")
        at = self._at(entry, "users", context.user)
        return at.read(entry.content or {}, shapes.User), at

    def _meant(self, kind: Kind, name: str, by: str) -> Entry:
        entry = self.merged.find(kind, name)
        if entry is not None:
            return entry
        context = self.merged.find("contexts", self.name)
        file = context.file if context else self.merged.files[0]
        place = Place(file, self.name, f"contexts[{self.name!r}].context")
        raise place.wrong(by, f"one of {self.merged.names(kind)}", repr(name))

    def _at(self, entry: Entry, kind: Kind, name: str) -> Place:
        return Place(entry.file, self.name, f"{kind}[{name!r}].{kind.removesuffix('s')}")


def _authorities(cluster: shapes.Cluster, at: Place) -> str | None:
    given = at.content(
        "certificate-authority", cluster.certificate_authority_data, cluster.certificate_authority
    )
    if given is None:
        return None
    if cluster.insecure_skip_tls_verify:
        raise at.wrong("insecure-skip-tls-verify", "false beside a certificate-authority", "true")
    if b"-----BEGIN CERTIFICATE-----" not in given:
        raise at.wrong("certificate-authority", "certificates as PEM", "none")
    return given.decode("ascii", "replace")


def _told_of(cluster: shapes.Cluster, ca: str | None) -> dict[str, object]:
    """Give what a program may be told of its cluster."""
    told: dict[str, object] = {
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": b64encode(ca.encode()).decode() if ca else None,
        "proxy-url": cluster.proxy_url,
        "config": next(
            (each.extension for each in cluster.extensions or () if each.name == FOR_PLUGINS), None
        ),
    }
    return {name: value for name, value in told.items() if value}
