"""Label selectors are read as kubectl reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncsvc.errors import Rejected
from syncsvc.loadtests.selecting import selector

LABELS = {"app": "k6", "team": "a", "example.org/tier": "", "in": "notin"}


@pytest.mark.parametrize(
    "text",
    [
        "*",
        " * ",
        "app",
        "app=k6",
        "app==k6",
        " app = k6 ",
        "app!=shop",
        "other!=anything",
        "!other",
        "! other",
        "app in (k6)",
        "app in(shop,k6)",
        "app  in  ( shop , k6 )",
        "app notin (shop, x)",
        "other notin (shop)",
        "app=k6,team=a",
        "app=k6 , team in (a,b),!other",
        "example.org/tier",
        "example.org/tier=",
        "example.org/tier in ()",
        "example.org/tier in (,x)",
        "in=notin",
        "in in (notin)",
    ],
)
def test_a_selector_takes_what_kubectl_would(text):
    assert selector("k6_discover", text).takes(LABELS)


@pytest.mark.parametrize(
    "text",
    [
        "app=shop",
        "app!=k6",
        "!app",
        "other",
        "other=",
        "other in (a, )",
        "app notin (shop, k6)",
        "app=k6,team=b",
        "APP=k6",
        "app=K6",
        "tier",
    ],
)
def test_a_selector_leaves_what_kubectl_would(text):
    assert not selector("k6_discover", text).takes(LABELS)


def test_everything_is_taken_also_without_labels():
    assert selector("k6_discover", "*").takes({})


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", ""),
        ("app=k6,", ""),
        (",app=k6", ""),
        ("app=k6 team=a", "app=k6 team=a"),
        ("app=(k6)", "app=(k6)"),
        ("app in k6", "app in k6"),
        ("app in (k6", "app in (k6"),
        ("app in ((k6))", "app in ((k6))"),
        ("app in (-k6)", "app in (-k6)"),
        ("app=-k6", "app=-k6"),
        ("app=k6-", "app=k6-"),
        ("app=_", "_"),
        ("-app=k6", "-app=k6"),
        ("!app=k6", "!app=k6"),
        ("!!app", "!!app"),
        ("app=!k6", "app=!k6"),
        ("app===k6", "app===k6"),
        ("/app", "/app"),
        ("a/b/app", "a/b/app"),
        ("Example.org/app", "Example.org/app"),
        ("app=k6,**", "**"),
        ("app=\u00fc", "app=\u00fc"),
        ("a" * 64, "a" * 64),
        ("app!=" + "a" * 64, "app!="),
        ("app in (" + "a" * 64 + ")", "app in"),
        ("a" * 254 + "/b", "a" * 80),
    ],
)
def test_what_is_no_selector_is_refused_with_the_field_and_the_part(text, part):
    with pytest.raises(Rejected) as raised:
        selector("k6_discover", text)

    told = str(raised.value)
    assert told.startswith("k6_discover: expected a label selector such as app=k6,team!=demo")
    assert part in told


@pytest.mark.parametrize("text", ["a" * 63, "a" * 253 + "/b", "a=" + "b" * 63])
def test_the_longest_names_are_taken(text):
    assert selector("k6_discover", text).holds


@pytest.mark.parametrize("text", ["a" * 50_000 + "!", "a=" + "b." * 25_000, "a," * 20_000])
def test_however_long_a_text_is_it_is_refused_soon(text):
    with pytest.raises(Rejected):
        selector("k6_discover", text)


KEYS = st.sampled_from(["a", "b", "x/a"])
VALUES = st.sampled_from(["", "1", "2", "v-1"])
LIST = st.lists(VALUES, min_size=1, max_size=3)
SPACE = st.sampled_from(["", " ", "  "])
LABEL_SETS = st.dictionaries(KEYS, VALUES)


@st.composite
def requirements(draw) -> tuple[str, str, object, str]:
    """Give a requirement as key, operator and values, and as text."""
    key, how = draw(KEYS), draw(st.sampled_from(["=", "==", "!=", "in", "notin", ""]))
    gap = draw(SPACE)
    if how in ("in", "notin"):
        values = draw(LIST)
        return key, how, values, f"{key} {gap}{how}{gap}({','.join(gap + v for v in values)}{gap})"
    if how:
        value = draw(VALUES)
        return key, how, [value], f"{gap}{key}{gap}{how}{gap}{value}{gap}"
    bang = draw(st.sampled_from(["!", ""]))
    return key, bang or "there", [], f"{gap}{bang}{gap if bang else ''}{key}{gap}"


def holds(labels, key, how, values) -> bool:
    """Say it as Kubernetes' documentation does."""
    if how == "there":
        return key in labels
    if how == "!":
        return key not in labels
    if how in ("!=", "notin"):
        return key not in labels or labels[key] not in values
    return key in labels and labels[key] in values


@given(st.lists(requirements(), min_size=1, max_size=4), LABEL_SETS)
def test_all_requirements_must_hold(wanted, labels):
    text = ",".join(each[-1] for each in wanted)

    taken = selector("k6_discover", text).takes(labels)

    assert taken == all(holds(labels, *each[:-1]) for each in wanted)
