"""What each refusal of a cluster means, and what its text tells."""

import ssl

import httpx
import pytest

from syncsvc.adapters.kubernetes.failures import Refusal
from syncsvc.errors import Denied, Rejected, Unavailable, Unknown
from syncsvc.loadtests.clusters import Forbidden, NoLog
from tests.unit.kubernetes.api import (
    NS,
    SERVER,
    TOKEN,
    a_run,
    api,
    failure,
    not_found,
    ok,
    status,
)

FORBIDDEN = failure(
    403,
    "Forbidden",
    'testruns.k6.io is forbidden: User "syncsvc" cannot list resource "testruns"',
    kind="testruns",
    group="k6.io",
)


async def test_only_a_status_that_names_it_proves_that_a_test_run_is_gone():
    assert await api(load=not_found("load")).cluster().test_run(NS, "load") is None


@pytest.mark.parametrize(
    "answer",
    [
        not_found("another"),
        not_found("load", kind="pods"),
        failure(404, "Weird", "load not found", name="load", kind="testruns"),
        status(404, text="<html>not here</html>"),
        status(404),
    ],
    ids=["of another name", "of another kind", "another reason", "a page of a proxy", "empty"],
)
async def test_any_other_404_proves_nothing(answer):
    with pytest.raises(Unavailable, match="not about what was asked for"):
        await api(load=answer).cluster().test_run(NS, "load")


@pytest.mark.parametrize(
    "answer", [status(404, text="404 page not found\n"), failure(404, "NotFound", "no resource")]
)
async def test_a_cluster_without_the_operator_is_told_from_one_without_the_test_run(answer):
    with pytest.raises(Unknown, match=r"has no testruns\.k6\.io at all.*installed"):
        await api(load=answer).cluster().test_run(NS, "load")


async def test_a_list_without_the_operator_is_unknown_and_not_empty():
    plain = status(404, text="404 page not found\n")

    with pytest.raises(Unknown, match=r"testruns\.k6\.io"):
        await api(testruns=plain).cluster().listed(NS)


async def test_a_missing_right_is_named_with_a_way_to_check_it():
    with pytest.raises(Forbidden) as refused:
        await api(testruns=FORBIDDEN).cluster().listed(NS)

    said = str(refused.value)
    assert "list testruns.k6.io in namespace 'k6-runs'" in said
    assert 'User "syncsvc" cannot list' in said
    assert "kubectl auth can-i list testruns.k6.io --namespace k6-runs" in said


async def test_the_right_to_read_logs_is_a_subresource():
    refused = failure(403, "Forbidden", "pods is forbidden", kind="pods", name="p")

    with pytest.raises(Forbidden, match="can-i get pods --subresource=log --namespace k6-runs"):
        await api(log=refused).cluster().log(NS, "p", "k6")


async def test_a_refusal_without_status_is_forbidden_all_the_same():
    with pytest.raises(Forbidden, match="answered 403 to GET /version"):
        await api(version=status(403, text="<html>")).cluster().version()


async def test_credentials_that_are_not_known_are_denied():
    unauthorized = failure(401, "Unauthorized", "Unauthorized")

    with pytest.raises(Denied, match="does not know our credentials") as refused:
        await api(version=unauthorized).cluster().version()

    assert TOKEN not in str(refused.value)


async def test_another_refusal_keeps_its_code_and_reason():
    wrong = failure(422, "Invalid", "sinceTime is invalid")

    with pytest.raises(Refusal, match="sinceTime is invalid") as refused:
        await api(version=wrong).cluster().version()

    assert (refused.value.code, refused.value.reason) == (422, "Invalid")


async def test_a_redirect_is_not_followed_and_says_where_it_points():
    moved = status(302, location="https://login.invalid/?secret=1")
    cluster = api(version=moved).cluster()

    with pytest.raises(Rejected, match=r"points to https://login\.invalid/: check") as refused:
        await cluster.version()

    assert "secret" not in str(refused.value)


async def test_an_untrusted_certificate_names_what_to_check():
    error = httpx.ConnectError("failed")
    error.__cause__ = ssl.SSLCertVerificationError(1, "x")
    error.__cause__.verify_message = "self-signed certificate"

    with pytest.raises(Unavailable, match=r"self-signed certificate\); check certificate-auth"):
        await api(version=error).cluster().version()


@pytest.mark.parametrize("name", ["", "Upper", "a/b", "..", "a b", "-a", "x" * 254])
async def test_a_name_that_no_object_can_have_is_not_asked_for(name):
    world = api()

    with pytest.raises(Rejected, match="name: expected"):
        await world.cluster().test_run(NS, name)

    assert world.asked == []


@pytest.mark.parametrize("namespace", ["", "a.b", "../x", "x" * 64])
async def test_a_namespace_that_cannot_be_is_not_asked_for(namespace):
    with pytest.raises(Rejected, match="namespace: expected"):
        await api().cluster().listed(namespace)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"kind":"TestRun"}', b'{"metadata":'])
async def test_an_answer_that_is_no_test_run_is_no_proof(body):
    with pytest.raises(Unavailable, match="cannot be read"):
        await api(load=httpx.Response(200, content=body)).cluster().test_run(NS, "load")


async def test_another_object_than_asked_for_is_not_taken():
    with pytest.raises(Unavailable, match="another object"):
        await api(load=ok(a_run("other"))).cluster().test_run(NS, "load")


async def test_a_token_goes_into_the_header_and_nowhere_else():
    world = api(version=ok({"gitVersion": "v1.36.2"}))
    cluster = world.cluster()

    assert await cluster.version() == "v1.36.2"
    assert world.asked[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert str(world.asked[0].url) == f"{SERVER}/version"
    assert TOKEN not in repr(cluster)


async def test_an_address_that_http_does_not_allow_is_rejected():
    with pytest.raises(Rejected, match="check its server address"):
        await api(version=httpx.LocalProtocolError(TOKEN)).cluster().version()


async def test_an_unknown_scheme_is_rejected():
    with pytest.raises(Rejected, match="check its server address"):
        await api(version=httpx.UnsupportedProtocol("ftp")).cluster().version()


async def test_no_log_is_not_a_refusal_of_the_cluster():
    with pytest.raises(NoLog, match="the pod is gone"):
        await api(log=not_found("p", kind="pods")).cluster().log(NS, "p", "k6")
