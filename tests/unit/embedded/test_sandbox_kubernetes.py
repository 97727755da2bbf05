"""With a sandbox load tests are those of its Kubernetes, and of no cluster of the user's."""

import stat

import pytest

from syncsvc.adapters.kubernetes.access import Presented
from syncsvc.cli.whole import private, with_sandbox
from syncsvc.embedded import sandbox_kubernetes
from syncsvc.embedded.tree import SandboxOptions
from syncsvc.errors import Rejected
from syncsvc.sandbox.identities import KUBERNETES_TOKEN
from syncsvc.settings import Settings
from syncsvc.wiring.loadtests import accesses_from

SANDBOX = SandboxOptions(port=18090)


@pytest.fixture
def users_own(tmp_path, monkeypatch) -> dict[str, str]:
    """An environment whose KUBECONFIG must not be looked at: it is broken."""
    file = tmp_path / "users-own"
    file.write_text("{")
    monkeypatch.setenv("SYNCSVC_K6_KUBECONFIG", str(file))
    monkeypatch.setenv("SYNCSVC_K6_CONTEXTS", '["production"]')
    monkeypatch.setenv("SYNCSVC_K6_NAMESPACES", '["load"]')
    return {"KUBECONFIG": str(file), "HOME": str(tmp_path)}


async def test_the_only_cluster_is_the_sandboxs(tmp_path, users_own):
    found = with_sandbox(Settings(data_dir=tmp_path), SANDBOX)
    sandbox_kubernetes.write(tmp_path, SANDBOX.use.url)

    (access,) = accesses_from(found, users_own)

    assert access.server == "http://127.0.0.1:18090/k8s/main"
    assert await access.credentials.present() == Presented(token=KUBERNETES_TOKEN)
    assert access.namespace == "k6-runs"  # for who has the file only
    assert (found.k6_namespaces, found.k6_discover) == (("k6-runs",), "*")


async def test_a_private_stack_takes_nothing_of_the_users_either(tmp_path, users_own):
    found = with_sandbox(private(tmp_path), SANDBOX)
    sandbox_kubernetes.write(tmp_path, SANDBOX.use.url)

    (access,) = accesses_from(found, users_own)

    assert access.server == "http://127.0.0.1:18090/k8s/main"
    assert private(tmp_path).k6_contexts == ()


def test_a_selector_that_is_set_stays(tmp_path):
    settings = Settings(data_dir=tmp_path, k6_discover="team=shop")

    assert with_sandbox(settings, SANDBOX).k6_discover == "team=shop"


def test_the_file_is_this_users_alone_and_written_anew_at_each_start(tmp_path):
    file = tmp_path / sandbox_kubernetes.FILE
    file.write_text("of an earlier start")
    file.chmod(0o644)

    sandbox_kubernetes.write(tmp_path, SANDBOX.use.url)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "18090" in file.read_text()
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path):
    with pytest.raises(Rejected, match="cannot be written"):
        sandbox_kubernetes.write(tmp_path / "missing", SANDBOX.use.url)
