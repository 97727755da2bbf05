"""The way from our processes into the sandbox's Kubernetes: a kubeconfig in the data folder."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

from syncsvc.errors import Rejected
from syncsvc.sandbox.identities import KUBERNETES_TOKEN
from syncsvc.sandbox.kubernetes.clusters import FIRST
from syncsvc.sandbox.kubernetes.kubeconfig import kubeconfig
from syncsvc.sandbox.kubernetes.rights import READER
from syncsvc.sandbox.replies import K8S

FILE = "sandbox-kubeconfig"
NAMESPACE = "k6-runs"
TEST_RUNS = "/__sandbox__/kubernetes/testruns"  # where they are made, without a cluster's rights


def settings_of(data_dir: Path) -> Mapping[str, object]:
    """Give the settings by which all load tests of the sandbox are watched, and no others."""
    return {
        "k6_kubeconfig": data_dir.absolute() / FILE,
        "k6_contexts": (FIRST,),
        "k6_namespaces": (NAMESPACE,),
        "k6_discover": "*",
    }


def write(data_dir: Path, sandbox_url: str) -> None:
    """Write the file anew, for this user alone. Raises Rejected if it cannot be written."""
    servers = {FIRST: f"{sandbox_url}{K8S}{FIRST}"}
    shown = kubeconfig(servers, FIRST, READER, KUBERNETES_TOKEN, namespace=NAMESPACE)
    try:
        with NamedTemporaryFile(dir=data_dir, prefix=f".{FILE}.", delete=False) as new:
            new.write(shown)
        Path(new.name).replace(data_dir / FILE)
    except OSError as error:
        raise Rejected(
            f"{data_dir / FILE} cannot be written ({error.strerror}): "
            "choose another folder with --data-dir / SYNCSVC_DATA_DIR"
        ) from error
