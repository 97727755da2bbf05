"""The expected ids were computed by testit-cli 2.11.1's own parser on the same report."""

import pytest

from syncsvc.errors import Rejected
from syncsvc.results.reports import Naming

REPORT = """<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest">
<testcase classname="tests.api.test_users.TestLogin" name="test_ok[a-1]" time="0.012"/>
<testcase classname="a::b::C" name="имя &amp; ünï" time="1"/>
<testcase classname="" name="empty class"/>
<testcase classname="a.b." name="ends in dot"/>
<testcase name="alone" time="0.2"/></testsuite></testsuites>"""
ALONE = "dfc8eb1a08e82e7256b45c1cc4eea0e0"  # testit-cli fails on it when there is a separator
OPTIONS = [
    (
        Naming(),
        [
            "00b81c85953c144c55d84eed9eb34c38",
            "f84ef630f4c8a161c0e2f82199e92def",
            "da6cabf73940ff7c564448967a84a29a",
            "75c314a6587447380942ca4b794c3f1c",
            ALONE,
        ],
    ),
    (
        Naming(separator="."),
        [
            "f5078984e9df419414ee359ab72d7654",
            "f84ef630f4c8a161c0e2f82199e92def",
            "da6cabf73940ff7c564448967a84a29a",
            "d7c441fee6ef878a1edff9638086fb5a",
            ALONE,
        ],
    ),
    (
        Naming(separator="::"),
        [
            "00b81c85953c144c55d84eed9eb34c38",
            "f50fa17714ea0b4f05dcabd9d0cee141",
            "da6cabf73940ff7c564448967a84a29a",
            "75c314a6587447380942ca4b794c3f1c",
            ALONE,
        ],
    ),
    (
        Naming(namespace="NS"),
        [
            "fea971840238f98916bbe9c05242ca02",
            "76e821f02c43c0384d619fcb4dbc83b6",
            "348b84005cadb2ec2afaece81efd61d4",
            "f6e0aafe42054dd36cc2ecf79a9fa483",
            "f83ab7c27fc66c0e7b8dfc74aafc814b",
        ],
    ),
    (
        Naming(classname="CN"),
        [
            "4252731e7c94a9a53968fdb2c64a9104",
            "a6bbfe13eb16695a34afbe078859a279",
            "4e6130beffcdcd07acaa2e7989e2bb9d",
            "0ccf81685a17ffb7e694608d329f7d5d",
            "aa4a88402f754719b7302b698cd19556",
        ],
    ),
]


@pytest.mark.parametrize(("naming", "expected"), OPTIONS, ids=str)
def test_external_ids_are_those_of_testit_cli(read, naming, expected):
    results = read(REPORT, naming)

    assert [result.external_id for result in results] == expected


def test_a_separator_parts_namespace_and_classname(read):
    first = read(REPORT, Naming(separator="."))[0]

    assert (first.namespace, first.classname) == ("tests.api.test_users", "TestLogin")


def test_what_the_caller_names_wins_over_the_report(read):
    first = read(REPORT, Naming(separator=".", namespace="NS", classname="CN", layer="unit"))[0]

    assert (first.namespace, first.classname, first.layer) == ("NS", "CN", "unit")
    assert first.external_id == "3002d6e3225685f507e3401ae35b0a92"


def test_an_empty_separator_is_refused():
    with pytest.raises(Rejected, match="at least one character"):
        Naming(separator="")


@pytest.mark.parametrize("layer", ["", "x" * 201])
def test_a_layer_that_fits_no_field_is_refused(layer):
    with pytest.raises(Rejected, match="1 to 200 characters"):
        Naming(layer=layer)


def test_a_long_name_is_shortened_but_kept_whole_as_a_property(read):
    [result] = read(f'<testcase name="{"n" * 300}" classname="{"c" * 300}"/>')

    assert len(result.name) == 200
    assert result.name.endswith("…")
    assert len(result.classname) == 255
    assert result.properties["full name"] == "n" * 300
