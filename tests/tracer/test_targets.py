"""What `tl.function` is applied to: builtins, ufuncs, callable objects; and what it refuses."""

from __future__ import annotations

import collections
import functools
import inspect
import operator
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import numpy as np
import pytest

import treadle as tl

c = tl.constant
Pair = collections.namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    ("target", "args", "kwargs", "expected"),
    [
        (np.sin, (c([0.0, 1.0]),), {}, np.sin(np.float32([0.0, 1.0]))),
        (np.add, (c(1.0), c(2.0)), {}, 3.0),
        (np.sum, (c([[1.0, 2.0]]),), {"axis": 1}, [3.0]),
        (max, (c(1.0), c(2.0)), {}, 2.0),
        (min, ([c(3.0), c(2.0)],), {}, 2.0),
        (sum, ([c(3.0), c(2.0)],), {}, 5.0),
        (len, (c([3.0, 2.0]),), {}, 2),
        (operator.add, (c(1), c(2)), {}, 3),
        (operator.itemgetter(1), (c([1, 2]),), {}, 2),
        (functools.partial(pow, 2.0), (c(3.0),), {}, 8.0),
    ],
)
def test_functions_that_are_not_written_in_python(
    target: Any, args: Any, kwargs: Any, expected: Any
) -> None:
    f = tl.function(target)
    for _ in range(2):
        np.testing.assert_allclose(f(*args, **kwargs), expected, rtol=1e-6)
    assert f.experimental_get_tracing_count() == 1


def test_a_class() -> None:
    made = tl.function(Pair)(c(1), b=c(2))
    assert isinstance(made, Pair)
    assert [int(x) for x in made] == [1, 2]


def test_callable_objects_and_bound_methods() -> None:
    class Scale:
        def __init__(self, k: float) -> None:
            self.k = k

        def __call__(self, x: Any) -> Any:
            return x * self.k if x > 0 else x

        by_two = functools.partialmethod(lambda self, k, x: x * k * self.k, 2.0)

    a = Scale(3.0)
    for f in (tl.function(a), tl.function(a.__call__)):
        assert f(c(2.0)).numpy() == a.k * 2.0
        a.k += 2.0
        assert f(c(2.0)).numpy() == a.k * 2.0
        assert f(c(-2.0)).numpy() == -2.0
    assert tl.function(a.by_two)(c(1.0)).numpy() == 2.0 * a.k


def test_decorators_below_and_above() -> None:
    def doubled(f: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(f)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return f(*args, **kwargs) * 2

        return wrapper

    def f(x: Any, y: int = 1) -> Any:
        return x + y if x > 0 else x

    for made in (tl.function(doubled(f)), doubled(tl.function(f))):
        assert str(inspect.signature(made)) == "(x: 'Any', y: 'int' = 1) -> 'Any'"
        assert made(c(2)).numpy() == 6
        assert made(c(2), y=3).numpy() == 10
        assert made(c(-2)).numpy() == -4


# --- what stops half way ------------------------------------------------------------------


def yields(x: Any) -> Iterator[Any]:
    yield x


async def awaits(x: Any) -> Any:
    return x


async def streams(x: Any) -> AsyncIterator[Any]:
    yield x


class Source:
    def __call__(self, x: Any) -> Iterator[Any]:
        yield x


@pytest.mark.parametrize(
    "target", [yields, functools.partial(yields, 1), Source(), Source().__call__]
)
def test_generator_functions_are_refused(target: Any) -> None:
    with pytest.raises(tl.errors.ConversionError) as caught:
        tl.function(target)
    code = yields if not isinstance(target, (Source, type(Source().__call__))) else Source.__call__
    line = inspect.getsourcelines(code)[1] + 1
    name = code.__name__
    assert str(caught.value) == (
        f"a generator function can't be a tl.function: '{name}' yields, at test_targets.py:{line}: "
        "yield x. A graph runs as a whole: return a list or a stacked tensor, or let a tl.function "
        f"loop over {name}()"
    )


def test_async_functions_are_refused() -> None:
    line = inspect.getsourcelines(awaits)[1]
    with pytest.raises(tl.errors.ConversionError) as caught:
        tl.function(awaits)
    assert str(caught.value) == (
        f"an async function can't be a tl.function: 'awaits', at test_targets.py:{line}: async def "
        "awaits(x: Any) -> Any:. A graph runs as a whole: make it a plain function, and await "
        "around the call"
    )
    with pytest.raises(
        tl.errors.ConversionError, match=r"'streams', at test_targets.py:\d+: yield x"
    ):
        tl.function(streams)


def test_a_decorated_async_function_is_refused_with_its_own_line() -> None:
    with pytest.raises(tl.errors.ConversionError, match=r"test_targets.py:\d+: async def f\(x"):

        @tl.function
        @(lambda f: f)
        async def f(x: Any) -> Any:
            return x


def test_a_generator_function_is_consumed_inside() -> None:
    f = tl.function(lambda x: sum(yields(x)))
    assert f(c(3)).numpy() == 3
