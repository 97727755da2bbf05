"""Names that Kubernetes takes are taken, and no others."""

import pytest

from syncsvc.errors import Rejected
from syncsvc.loadtests.names import check_namespace, check_once, check_test_run, check_text


@pytest.mark.parametrize("name", ["a", "0", "a-b", "a.b-c.d", "team-1.checkout", "a" * 253])
def test_a_test_run_has_the_name_of_a_subdomain(name):
    check_test_run("test_run", name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "A",
        "a_b",
        "-a",
        "a-",
        ".a",
        "a.",
        "a..b",
        "a.-b",
        "a-.b",
        "a/b",
        "a b",
        "a\n",
        "\u0430",
        "a" * 254,
    ],
)
def test_what_is_no_subdomain_names_no_test_run(name):
    with pytest.raises(Rejected, match=r"^test_run: expected the name of a TestRun .* found"):
        check_test_run("test_run", name)


@pytest.mark.parametrize("name", ["a", "k6-runs", "0", "a" * 63])
def test_a_namespace_has_the_name_of_a_label(name):
    check_namespace("namespace", name)


@pytest.mark.parametrize("name", ["", "A", "a.b", "a_b", "-a", "a-", "a\n", "a" * 64])
def test_what_is_no_label_names_no_namespace(name):
    with pytest.raises(Rejected, match=r"^namespace: expected a namespace .* found"):
        check_namespace("namespace", name)


@pytest.mark.parametrize("text", ["a", "\u00fcber \u2603", "x" * 200])
def test_a_name_of_ours_is_any_text_that_can_be_shown(text):
    check_text("name", text)


@pytest.mark.parametrize("text", ["", " ", "a\0", "a\nb", "\u202e", "x" * 201])
def test_a_text_that_cannot_be_shown_is_no_name(text):
    with pytest.raises(Rejected, match=r"^name: expected 1 to 200 printable characters"):
        check_text("name", text)


def test_what_a_name_is_refused_with_is_short():
    with pytest.raises(Rejected) as raised:
        check_test_run("test_run", "X" * 100_000)

    assert len(str(raised.value)) < 300


def test_a_name_that_comes_twice_is_told():
    with pytest.raises(Rejected, match="steps: expected each once, found 'b' twice"):
        check_once("steps", ["a", "b", "c", "b"])
