"""The user of a kubeconfig as credentials: a file's token, a token, a program's, a certificate."""

from collections.abc import Mapping
from dataclasses import replace

from syncsvc.adapters.kubernetes import kubeconfig_shapes as shapes
from syncsvc.adapters.kubernetes.access import Certificate, Credentials, Presented
from syncsvc.adapters.kubernetes.credentials import (
    Fixed,
    Renewed,
    TokenFile,
    checked_token,
)
from syncsvc.adapters.kubernetes.kubeconfig_places import Place
from syncsvc.adapters.kubernetes.plugins import VERSIONS, Plugin

Told = Mapping[str, object]  # to a program, of the cluster that it is for
REMOVED = "none: Kubernetes has removed it, use exec"


def credentials_of(
    user: shapes.User, at: Place, cluster: Told, environ: Mapping[str, str]
) -> Credentials:
    """Give what a user shows; of several kinds a file's token counts, then a token, then exec."""
    _check(user, at)
    certificate = _certificate(user, at)
    if user.token_file:
        return Renewed(TokenFile(at.beside(user.token_file), certificate).fetch)
    if user.exec is not None and not user.token:
        plugin = _plugin(user.exec, at.inside("exec"), cluster, environ)
        return Renewed(replace(plugin, certificate=certificate).fetch)
    token = checked_token(user.token, f"{_spot(at)}.token") if user.token else None
    return Fixed(Presented(token, certificate))


def _check(user: shapes.User, at: Place) -> None:
    if user.auth_provider is not None:
        raise at.wrong("auth-provider", REMOVED, "one")
    if user.username or user.password:
        raise at.wrong("username", "none: Kubernetes knows no passwords, use a token", "one")
    if user.impersonate:
        raise at.wrong("as", "none: we do not act as somebody else", "one")


def _certificate(user: shapes.User, at: Place) -> Certificate | None:
    chain = at.content("client-certificate", user.client_certificate_data, user.client_certificate)
    key = at.content("client-key", user.client_key_data, user.client_key)
    if chain is None and key is None:
        return None
    if key is None:
        raise at.wrong("client-key", "the key of client-certificate", "none")
    if chain is None:
        raise at.wrong("client-certificate", "the certificate of client-key", "none")
    return Certificate(chain, key)


def _plugin(told: shapes.Exec, at: Place, cluster: Told, environ: Mapping[str, str]) -> Plugin:
    if told.api_version not in VERSIONS:
        raise at.wrong("apiVersion", " or ".join(VERSIONS), repr(told.api_version[:80]))
    if told.interactive_mode == "Always":
        raise at.wrong("interactiveMode", "Never or IfAvailable: nobody sits here", "Always")
    is_path = "/" in told.command
    return Plugin(
        _spot(at),
        str(at.beside(told.command)) if is_path else told.command,
        tuple(told.args or ()),
        {**environ, **{each.name: each.value for each in told.env or ()}},
        told.api_version,
        cluster if told.provide_cluster_info else None,
        hint=told.install_hint or "",
    )


def _spot(at: Place) -> str:
    return f"{at.file}, context {at.context!r}: {at.where}"
