import pytest

from syncsvc.catalogue.vanishing import shrinking, vanishing


@pytest.mark.parametrize(
    ("known", "missing", "said"),
    [
        (0, 0, None),
        (4, 0, None),
        (4, 2, None),
        (4, 3, "3 of 4 would be deleted, more than half"),
        (4, 4, "all 4 would be deleted"),
        (1, 1, "all 1 would be deleted"),
    ],
)
def test_a_list_that_lacks_more_than_half_of_what_is_known_is_not_believed(known, missing, said):
    assert vanishing(known, missing) == said


@pytest.mark.parametrize(("known", "found"), [(0, 0), (0, 9), (4, 9), (4, 2)])
def test_a_nuke_may_find_more_or_as_much_or_half(known, found):
    assert shrinking("tests of product 1", known, found) is None


def test_a_nuke_that_finds_less_than_half_says_that_the_product_stays_and_how_it_would_not():
    assert shrinking("tests of product 1", 4, 1) == (
        "tests of product 1: 3 of 4 would be deleted, more than half; "
        "the product stays as it was, --allow-vanishing would replace it"
    )
