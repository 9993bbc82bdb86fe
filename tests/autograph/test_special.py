"""Classes have converted operators and properties during a trace only."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import treadle as tl


class Money:
    def __init__(self, amount: Any) -> None:
        self.amount = amount

    def __add__(self, other: Any) -> Any:
        return Money(self.amount + other.amount) if self.amount > 0 else other

    def __eq__(self, other: object) -> Any:
        return isinstance(other, Money) and self.amount == other.amount

    __hash__ = None  # type: ignore[assignment]

    @property
    def shown(self) -> Any:
        return self.amount if self.amount > 0 else -self.amount


def members() -> dict[str, Any]:
    return dict(vars(Money))


def test_class_is_as_before_after_a_trace() -> None:
    before = members()

    @tl.function
    def f(x: Any) -> Any:
        total = Money(x) + Money(1)
        return total.shown, total == Money(x), total != Money(x)

    assert [v.numpy().item() for v in f(tl.constant(3))] == [4, False, True]
    assert [v.numpy().item() for v in f(tl.constant(-3))] == [1, False, True]
    assert members() == before


def test_class_is_as_before_after_a_trace_that_fails() -> None:
    before = members()

    @tl.function
    def f(x: Any) -> Any:
        raise ValueError(Money(x).shown)

    with pytest.raises(ValueError, match="3"):
        f(tl.constant(3))
    assert members() == before


def test_other_threads_get_the_methods_of_the_class() -> None:
    seen: list[Any] = []

    @tl.function
    def f(x: Any) -> Any:
        thread = threading.Thread(
            target=lambda: seen.append([(Money(2) + Money(3)).amount, Money(-2).shown])
        )
        thread.start()
        thread.join()
        return (Money(x) + Money(x)).shown

    assert f(tl.constant(3)) == 6
    assert seen == [[5, 2]]
