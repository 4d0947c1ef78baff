"""How the arms of an experiment share its buckets."""

from hypothesis import given
from hypothesis import strategies as st

from routing.table import BUCKETS, divide, enough_buckets

WEIGHTS = st.lists(st.integers(1, 1000), min_size=2, max_size=11)


@given(st.integers(0, BUCKETS), st.integers(0, BUCKETS), WEIGHTS)
def test_the_spans_are_all_of_it_without_gaps(start: int, buckets: int, weights: list[int]) -> None:
    spans = divide(start, buckets, weights)

    assert [end for _, end in spans[:-1]] == [begin for begin, _ in spans[1:]]
    assert (spans[0][0], spans[-1][1]) == (start, start + buckets)
    total = sum(weights)
    for (begin, end), weight in zip(spans, weights, strict=True):
        assert abs((end - begin) - buckets * weight / total) <= 1


@given(st.integers(1, BUCKETS), WEIGHTS)
def test_enough_is_the_first_number_that_leaves_nobody_without(buckets: int, weights: list[int]) -> None:
    def all_have_one(number: int) -> bool:
        return all(end > begin for begin, end in divide(0, number, weights))

    enough = enough_buckets(buckets, weights)

    if enough is None:
        assert not any(map(all_have_one, range(buckets, BUCKETS + 1, 97)))
    else:
        assert all_have_one(enough)
        assert not any(map(all_have_one, range(buckets, enough)))
