"""The way into the cluster that we run in ourselves: the service account of our pod."""

from collections.abc import Mapping
from pathlib import Path

from syncsvc.adapters.kubernetes.access import DEFAULT_NAMESPACE, Access
from syncsvc.adapters.kubernetes.credentials import Renewed, TokenFile
from syncsvc.errors import Rejected

NAME = "in-cluster"
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
HOST, PORT = "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"


def is_in_cluster(environ: Mapping[str, str], folder: Path = ACCOUNT) -> bool:
    """Say whether a service account is at hand."""
    return bool(environ.get(HOST)) and (folder / "token").is_file()


def in_cluster(environ: Mapping[str, str], folder: Path = ACCOUNT, name: str = NAME) -> Access:
    """Give the way of a pod's service account. Raises Rejected outside of a pod."""
    return Access(
        name,
        _server(environ),
        Renewed(_token(folder).fetch),
        ca=_told(folder / "ca.crt"),
        namespace=_namespace(folder),
    )


def _server(environ: Mapping[str, str]) -> str:
    host, port = environ.get(HOST, ""), environ.get(PORT, "443")
    if not host:
        raise Rejected(f"{HOST}: expected the address of the cluster we run in, found nothing")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise Rejected(f"{PORT}: expected a port, found {port[:40]!r}")
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def _token(folder: Path) -> TokenFile:
    path = folder / "token"
    if not path.is_file():
        raise Rejected(f"expected the token of a service account, found no file {path}")
    return TokenFile(path)


def _namespace(folder: Path) -> str:
    path = folder / "namespace"
    return (_told(path).strip() if path.is_file() else "") or DEFAULT_NAMESPACE


def _told(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "no text"
        raise Rejected(f"cannot read the service account's {path}: {why}") from None
