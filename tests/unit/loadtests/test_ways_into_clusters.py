"""Which clusters load tests are watched in, and how often, by the settings and what is at hand."""

import pytest
import yaml

from syncsvc.errors import Rejected
from syncsvc.loadtests.jobs import JobDefaults
from syncsvc.loadtests.ports import Origin, Place
from syncsvc.settings import Settings
from syncsvc.stores.sql.database import open_database
from syncsvc.wiring.loadtests import accesses_from, build_watch, defaults_from
from tests.support.builders import SECOND


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty home, and nothing of the developer's own."""
    for name in ("KUBECONFIG", "K6_SYNC_INTERVAL_SECONDS", "K6_AUTO_SYNC_ENABLED"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home"
    (folder / ".kube").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.chdir(folder)
    return folder


def kubeconfig(*names: str, namespace: str = "load") -> str:
    """Write a configuration whose clusters are named as its contexts are; the first is current."""
    told = {
        "current-context": names[0],
        "clusters": [
            {"name": name, "cluster": {"server": f"https://{name}.invalid"}} for name in names
        ],
        "contexts": [
            {"name": name, "context": {"cluster": name, "namespace": namespace}} for name in names
        ],
        "users": [],
    }
    return yaml.safe_dump(told)


@pytest.fixture
def account(tmp_path):
    """A pod's service account."""
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("token")
    (folder / "namespace").write_text("of-the-pod")
    (folder / "ca.crt").write_text("-----BEGIN CERTIFICATE-----\n")
    return folder


POD = {"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT": "443"}


def found(environ, account, **settings):
    return [each.name for each in accesses_from(Settings(**settings), environ, account)]


def test_without_any_way_there_is_no_cluster(home, tmp_path):
    assert found({}, tmp_path / "none") == []
    assert found({"HOME": str(home)}, tmp_path / "none") == []


def test_a_file_that_is_named_counts_before_all_else(home, account, tmp_path):
    named = tmp_path / "named"
    named.write_text(kubeconfig("a", "b"))
    (home / ".kube" / "config").write_text(kubeconfig("usual"))

    assert found({**POD, "HOME": str(home)}, account, k6_kubeconfig=named) == ["a"]


def test_each_context_that_is_named_is_a_cluster(home, account):
    (home / ".kube" / "config").write_text(kubeconfig("a", "b", "c"))
    environ = {**POD, "HOME": str(home)}

    assert found(environ, account, k6_contexts=("c", "a")) == ["c", "a"]


def test_in_a_pod_it_is_the_pods_own_cluster(home, account):
    (home / ".kube" / "config").write_text(kubeconfig("usual"))

    [access] = accesses_from(Settings(), {**POD, "HOME": str(home)}, account)

    assert (access.name, access.server) == ("in-cluster", "https://10.0.0.1:443")
    assert access.namespace == "of-the-pod"


def test_else_it_is_what_kubectl_takes(home, tmp_path):
    (home / ".kube" / "config").write_text(kubeconfig("usual"))
    other = tmp_path / "other"
    other.write_text(kubeconfig("listed"))
    none = tmp_path / "none"

    assert found({"HOME": str(home)}, none) == ["usual"]
    assert found({"HOME": str(home), "KUBECONFIG": str(other)}, none) == ["listed"]


@pytest.mark.parametrize("text", ["{", "[]", "current-context: x", "", "clusters: 1", "\0"])
def test_what_is_wrong_with_kubectls_own_file_stops_nothing(home, tmp_path, text, capsys):
    (home / ".kube" / "config").write_text(text)

    assert found({"HOME": str(home)}, tmp_path / "none") == []
    assert "kubectl's configuration is not used for load tests" in capsys.readouterr().out


@pytest.mark.parametrize("listed", ["/nowhere/at/all", "/", "/" + "a" * 5_000, ":"])
def test_a_file_of_kubectls_that_cannot_be_read_stops_nothing(home, tmp_path, listed):
    environ = {"HOME": str(home), "KUBECONFIG": listed}

    assert found(environ, tmp_path / "none") == []


@pytest.mark.parametrize("home", ["/" + "a" * 5_000, "/dev/null", "/nowhere"])
def test_a_home_that_cannot_be_looked_into_stops_nothing(home, tmp_path):
    assert found({"HOME": home}, tmp_path / "none") == []


@pytest.mark.parametrize("contexts", [(), ("other",)])
def test_what_is_named_and_not_there_is_refused(home, contexts):
    file = home / "named"
    if contexts:
        file.write_text(kubeconfig("a"))

    with pytest.raises(Rejected, match="expected"):
        accesses_from(Settings(k6_kubeconfig=file, k6_contexts=contexts), {})


@pytest.fixture
async def watched(tmp_path):
    """Build a watch from settings."""
    database = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    watches = []

    def build(**settings):
        watches.append(build_watch(Settings(**settings), database, {}))
        return watches[-1]

    yield build
    for watch in watches:
        await watch.close()
    await database.close()


def test_load_tests_are_looked_for_in_the_contexts_namespace(home, watched):
    file = home / "named"
    file.write_text(kubeconfig("a", "b"))

    watch = watched(k6_kubeconfig=file, k6_contexts=("a", "b"))

    assert watch.places == [Place("a", "load"), Place("b", "load")]


def test_namespaces_that_are_named_count_in_each_cluster(home, watched):
    file = home / "named"
    file.write_text(kubeconfig("a", "b"))

    watch = watched(k6_kubeconfig=file, k6_contexts=("a", "b"), k6_namespaces=("x", "y"))

    assert watch.places == [Place(name, each) for name in "ab" for each in "xy"]
    assert watch.registering.place("b", None) == Place("b", "x")


def test_without_a_cluster_there_is_nothing_to_watch_and_nothing_wrong(watched):
    assert watched(k6_discover="app=k6", k6_namespaces=("x",)).places == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"k6_namespaces": ("Load",)}, "SYNCSVC_K6_NAMESPACES: expected a namespace .*'Load'"),
        ({"k6_discover": "app in k6"}, "SYNCSVC_K6_DISCOVER: expected a label selector"),
        ({"k6_contexts": ("a", "a")}, "clusters: expected each name once, found 'a' twice"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_variable(home, watched, settings, said):
    file = home / "named"
    file.write_text(kubeconfig("a"))

    with pytest.raises(Rejected, match=said):
        watched(k6_kubeconfig=file, **settings)


def test_the_job_runs_as_the_settings_say():
    none, some = Settings(), Settings(k6_sync_interval_seconds=30, k6_auto_sync_enabled=False)

    assert defaults_from(none) == JobDefaults(interval=20 * SECOND, origin=Origin.DEFAULT)
    assert defaults_from(some) == JobDefaults(
        enabled=False, interval=30 * SECOND, origin=Origin.ENVIRONMENT
    )
