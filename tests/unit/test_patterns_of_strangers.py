"""Patterns of strangers are found anywhere in a line, and never take for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from syncsvc.errors import Rejected
from syncsvc.patterns import Pattern


@pytest.mark.parametrize(
    ("pattern", "text", "is_in"),
    [
        ("level=error", "time=1 level=error", True),
        ("(?i)ERROR|warn", "An error", True),
        ("(?i)[a-c]{2}", "xAB", True),
        ("^time=.*(error|fatal)$", "time=1 fatal", True),
        ("^$", "", True),
        ("x*", "", True),
        (r"p\(95\)", "http p(95)=3", True),
        (r"\bword\b", "a word", True),
        ("ä+", "Ääö", True),
        (r"status=5\d\d", "status=404", False),
        ("a", "\ud800", False),
    ],
)
def test_a_pattern_is_found_anywhere_in_a_line(pattern, text, is_in):
    assert Pattern("grep", pattern).is_in(text) is is_in


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("", "expected 1 to 200 characters, found 0"),
        ("a" * 201, "expected 1 to 200 characters, found 201"),
        ("(", "missing )"),
        ("[a", "missing ]"),
        ("a**", "bad repetition operator"),
        (r"(a)\1", "invalid escape sequence"),
        ("(?=a)", "expected a regular expression as RE2 knows them"),
        ("((a{99}){99}){99}", "invalid repetition size"),
        ("\ud800", "expected a regular expression"),
    ],
)
def test_what_cannot_be_searched_for_is_refused_and_named(pattern, complaint):
    with pytest.raises(Rejected) as raised:
        Pattern("grep", pattern)

    assert str(raised.value).startswith("grep: ")
    assert complaint in str(raised.value)


@pytest.mark.parametrize("pattern", ["(a|a)*b", "(a+)+b", "a?" * 50 + "a" * 50 + "b", "(.*)*b"])
def test_what_keeps_others_busy_for_ever_is_searched_for_at_once(pattern):
    assert not Pattern("grep", pattern).is_in("a" * 100_000)


@given(some.text(max_size=20), some.text(max_size=50))
def test_any_text_is_a_pattern_or_refused(pattern, line):
    try:
        found = Pattern("grep", pattern)
    except Rejected:
        return
    assert found.is_in(line) in (True, False)
