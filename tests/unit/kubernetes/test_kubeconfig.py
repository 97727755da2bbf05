"""Ways into clusters come from kubectl's files, and what is wrong there is named, never shown."""

import base64
import os
import sys
from pathlib import Path

import pytest
import yaml

from syncsvc.adapters.kubernetes.access import Certificate, Presented
from syncsvc.adapters.kubernetes.kubeconfig import from_kubeconfig
from syncsvc.errors import Rejected, Unavailable

SECRET = "very-s3cret-token"
CA = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n"
SERVER = "https://kube.invalid:6443"


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def entry(kind: str, name: str, **fields: object) -> dict[str, object]:
    return {"name": name, kind: {key.replace("_", "-"): fields[key] for key in fields}}


def config(
    *, cluster: dict | None = None, user: dict | None = None, context: dict | None = None
) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "prod",
        "clusters": [entry("cluster", "c", **{"server": SERVER, **(cluster or {})})],
        "users": [entry("user", "u", **({"token": SECRET} if user is None else user))],
        "contexts": [entry("context", "prod", **{"cluster": "c", "user": "u", **(context or {})})],
        "preferences": {},
    }


@pytest.fixture
def written(tmp_path):
    """Write a configuration and give its file."""

    def write(told: object, name: str = "config") -> Path:
        path = tmp_path / name
        path.write_text(told if isinstance(told, str) else yaml.safe_dump(told))
        return path

    return write


def read(path: Path | None, *contexts: str, **environ: str):
    return from_kubeconfig(path, contexts, environ)


async def shown(access) -> Presented:
    return await access.credentials.present()


async def test_the_current_context_is_meant_where_none_is_named(written):
    (access,) = read(written(config(context={"namespace": "k6-runs"})))

    assert (access.name, access.server, access.namespace) == ("prod", SERVER, "k6-runs")
    assert access.verify
    assert await shown(access) == Presented(SECRET)


async def test_no_secret_is_shown_of_a_way(written):
    (access,) = read(written(config(cluster={"proxy-url": "http://me:pass@proxy.invalid"})))

    assert SECRET not in repr((access, await shown(access), access.credentials))
    assert "pass" not in repr(access)


def test_contexts_come_in_the_order_they_are_named(written):
    told = config()
    told["contexts"].append(entry("context", "stage", cluster="c"))

    accesses = read(written(told), "stage", "prod")

    assert [access.name for access in accesses] == ["stage", "prod"]


async def test_a_context_without_a_user_is_anonymous(written):
    (access,) = read(written(config(context={"user": ""})))

    assert await shown(access) == Presented()


def test_all_of_a_cluster_is_read(written):
    (access,) = read(
        written(
            config(
                cluster={
                    "server": f"{SERVER}/k8s/c-1/",
                    "certificate-authority-data": base64_of(CA),
                    "tls-server-name": "inner",
                    "proxy-url": "http://proxy.invalid:3128",
                }
            )
        )
    )

    assert access.server == f"{SERVER}/k8s/c-1"
    assert (access.ca, access.server_name) == (CA, "inner")
    assert access.proxy == "http://proxy.invalid:3128"


def test_verifying_can_be_turned_off(written):
    assert not read(written(config(cluster={"insecure-skip-tls-verify": True})))[0].verify


def test_an_authority_may_be_a_file_beside_the_kubeconfig(written):
    written(CA, "ca.pem")

    assert read(written(config(cluster={"certificate-authority": "ca.pem"})))[0].ca == CA


async def test_a_client_certificate_may_be_inline_or_a_file(written):
    written("KEY", "key.pem")
    told = {"client-certificate-data": base64_of("CHAIN"), "client-key": "key.pem"}

    (access,) = read(written(config(user=told)))

    assert await shown(access) == Presented(None, Certificate(b"CHAIN", b"KEY"))


async def test_a_tokens_file_counts_before_the_token_and_is_read_when_it_is_shown(written):
    path = written("", "token")
    (access,) = read(written(config(user={"token": "old", "tokenFile": "token"})))
    path.write_text(f"{SECRET}\n")

    assert await shown(access) == Presented(SECRET)


async def test_a_tokens_file_that_is_gone_is_unavailable(written):
    (access,) = read(written(config(user={"tokenFile": "nowhere"})))

    with pytest.raises(Unavailable, match=r"cannot read the token file .*nowhere: No such file"):
        await shown(access)


async def test_several_files_count_as_one_and_the_first_wins(written):
    second = config(cluster={"server": "https://other.invalid"})
    second["contexts"].append(entry("context", "stage", cluster="d", user="v"))
    second["clusters"].append(entry("cluster", "d", server="https://stage.invalid"))
    second["users"].append(entry("user", "v", token="stage"))
    names = [str(written(config(), "one")), "/nowhere/at/all", "", str(written(second, "two"))]

    prod, stage = read(None, "prod", "stage", KUBECONFIG=os.pathsep.join(names))

    assert (prod.server, stage.server) == (SERVER, "https://stage.invalid")
    assert await shown(stage) == Presented("stage")


def test_the_file_in_the_home_is_the_usual_one(written, monkeypatch, tmp_path):
    (tmp_path / ".kube").mkdir()
    written(config(), ".kube/config")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert read(None)[0].name == "prod"


def test_json_is_yaml(written):
    text = '{"current-context":"a","clusters":[{"name":"c","cluster":{"server":"http://x"}}],'
    text += '"contexts":[{"name":"a","context":{"cluster":"c"}}],"users":null}'

    assert read(written(text))[0].server == "http://x"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"cluster": {"server": 3}}, r"clusters\['c'\]\.cluster\.server: expected str, found int"),
        ({"cluster": {"server": "kube"}}, r"cluster\.server: expected http:// or https://"),
        (
            {"cluster": {"certificate-authority-data": "%%"}},
            "certificate-authority-data: expected base64, found something else",
        ),
        (
            {"cluster": {"certificate-authority": "none.pem"}},
            "certificate-authority: expected a file that can be read, found .*none.pem: No such",
        ),
        (
            {"cluster": {"certificate-authority-data": base64_of("text")}},
            "certificate-authority: expected certificates as PEM, found none",
        ),
        (
            {
                "cluster": {
                    "certificate-authority-data": base64_of(CA),
                    "insecure-skip-tls-verify": True,
                }
            },
            "insecure-skip-tls-verify: expected false beside",
        ),
        ({"context": {"user": "x"}}, r"contexts\['prod'\]\.context\.user: expected one of 'u', f"),
        ({"context": {"cluster": "x"}}, "context.cluster: expected one of 'c', found 'x'"),
        ({"user": {"token": 12345}}, r"users\['u'\]\.user\.token: expected str \| null, found int"),
        ({"user": {"token": f"{SECRET} x"}}, "user.token: expected a token of printable ASCII"),
        ({"user": {"auth-provider": {"name": "gcp"}}}, "auth-provider: expected none: Kubernetes"),
        ({"user": {"username": "me", "password": SECRET}}, "username: expected none"),
        ({"user": {"as": "other"}}, "user.as: expected none"),
        ({"user": {"client-key-data": base64_of("K")}}, "client-certificate: expected the"),
        ({"user": {"client-certificate-data": base64_of("C")}}, "client-key: expected the key"),
        (
            {"user": {"exec": {"command": "x", "apiVersion": "client.authentication.k8s.io/v0"}}},
            r"user\.exec\.apiVersion: expected client\.authentication\.k8s\.io/v1 or .*, found",
        ),
        ({"user": {"exec": {"command": "x"}}}, r"user\.exec\.apiVersion: expected a value, found"),
        (
            {
                "user": {
                    "exec": {
                        "command": "x",
                        "apiVersion": "client.authentication.k8s.io/v1",
                        "interactiveMode": "Always",
                    }
                }
            },
            "interactiveMode: expected Never or IfAvailable",
        ),
    ],
)
def test_what_is_wrong_is_named_with_file_context_and_field(written, told, said):
    path = written(config(**told))

    with pytest.raises(Rejected, match=said) as refused:
        read(path)

    assert str(refused.value).startswith(f"{path}, context 'prod': ")
    assert SECRET not in str(refused.value)


def test_a_context_that_is_not_there_is_told_with_those_that_are(written):
    with pytest.raises(Rejected, match="contexts: expected one of 'prod', found 'dev'"):
        read(written(config()), "dev")


def test_without_a_current_context_one_must_be_named(written):
    told = config()
    del told["current-context"]

    with pytest.raises(Rejected, match="current-context: expected one of 'prod', found none"):
        read(written(told))


def test_an_empty_file_holds_nothing(written):
    with pytest.raises(Rejected, match="current-context: expected one of none, found none"):
        read(written(""))


@pytest.mark.parametrize("text", [f"users: [token: {SECRET}", "\tx: y", "a: &a [*b]"])
def test_what_is_no_yaml_is_told_by_its_line_alone(written, text):
    with pytest.raises(Rejected, match="expected YAML, found something else in line 1") as refused:
        read(written(text))

    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("text", ["[]", "just text", "users: {}", "contexts: [1]"])
def test_yaml_that_is_no_kubeconfig_is_refused(written, text):
    with pytest.raises(Rejected, match="expected"):
        read(written(text))


def test_a_file_of_other_bytes_is_refused(tmp_path):
    path = tmp_path / "config"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(Rejected, match="expected YAML of a kubeconfig"):
        read(path)


def test_a_file_that_is_too_large_is_refused(written, monkeypatch):
    monkeypatch.setattr("syncsvc.adapters.kubernetes.kubeconfig_files.LARGEST", 10)

    with pytest.raises(Rejected, match="expected at most 10 bytes"):
        read(written(config()))


def test_a_file_that_is_not_there_is_told_by_its_name(tmp_path):
    with pytest.raises(Rejected, match=r"expected a kubeconfig, found no file .*nothing"):
        read(tmp_path / "nothing")
    with pytest.raises(Rejected, match="KUBECONFIG: expected a kubeconfig"):
        read(None, KUBECONFIG="/nowhere/one")


async def test_a_program_beside_the_kubeconfig_is_started_with_its_variables(written):
    program = written(
        f"#!{sys.executable}\n"
        "import json, os, sys\n"
        "told = json.loads(os.environ['KUBERNETES_EXEC_INFO'])\n"
        "cluster = told['spec']['cluster']\n"
        "token = '.'.join((sys.argv[1], os.environ['WHO'], cluster['config']['audience']))\n"
        "print(json.dumps({'apiVersion': told['apiVersion'], 'kind': 'ExecCredential',"
        " 'status': {'token': token}}))\n",
        "plugin",
    )
    program.chmod(0o700)
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "us"}}
    told = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "./plugin",
        "args": ["login"],
        "env": [{"name": "WHO", "value": "me"}],
        "provideClusterInfo": True,
    }
    path = written(config(user={"exec": told}, cluster={"extensions": [extension]}))

    (access,) = read(path, PATH=os.environ["PATH"])

    assert await shown(access) == Presented("login.me.us")
