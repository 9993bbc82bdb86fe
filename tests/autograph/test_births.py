"""What was made after a moment is told apart from what was there before."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

import treadle as tl
from treadle.autograph.changes.births import made_since, owner_of, watched


class Thing:
    pass


@pytest.fixture(autouse=True)
def paused() -> Iterator[None]:
    gc.disable()  # as while a function is traced
    yield
    gc.enable()


def test_objects_of_before_and_after():
    before = [Thing() for _ in range(100)]
    with watched() as moment:
        after = [Thing() for _ in range(100)]
        assert made_since(moment, before + after) == set(map(id, after))


def test_moments_within_each_other():
    with watched() as first:
        a = Thing()
        with watched() as second:
            b = Thing()
            assert made_since(second, [a, b]) == {id(b)}
        c = Thing()
        with watched() as third:
            d = Thing()
        assert made_since(first, [a, b, c, d]) == set(map(id, [a, b, c, d]))
        assert made_since(third, [a, b, c, d]) == {id(d)}


def test_references_do_not_matter():
    elsewhere = []
    with watched() as moment:
        thing = Thing()
        elsewhere += [thing] * 5
        assert made_since(moment, [thing]) == {id(thing)}


def test_a_place_in_memory_that_is_used_again():
    with watched() as first:
        for _ in range(1000):
            Thing()
        with watched() as moment:
            after = [Thing() for _ in range(10)]
            assert made_since(moment, after) == set(map(id, after))
        assert made_since(first, after) == set(map(id, after))
    before = [Thing() for _ in range(10)]
    with watched() as moment:
        assert not made_since(moment, before)


def test_what_the_user_has_collected_is_unknown_and_not_wrong():
    before = Thing()
    with watched() as moment:
        after = Thing()
        gc.collect()
        assert made_since(moment, [before, after]) <= {id(after)}


def test_the_dict_of_an_object_is_as_old_as_that():
    thing, plain = Thing(), {"x": []}
    thing.x = []
    with watched() as moment:
        asked_for = vars(thing)
        assert made_since(moment, [asked_for]) == {id(asked_for)}
        assert owner_of(asked_for) is thing
    assert owner_of(plain) is None


def test_a_change_of_the_dict_of_an_older_object():
    def totals(wrap):
        thing = Thing()
        thing.total = 1.0

        @wrap
        def f(x):
            if x > 0:
                thing.__dict__["total"] = x * 2.0
            return thing.total * 1.0

        return [float(f(tl.constant(v))) for v in (-3.0, 3.0, -3.0)]

    assert totals(tl.function) == totals(lambda f: f) == [1.0, 6.0, 6.0]
