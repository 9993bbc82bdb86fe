"""Generators in a trace: what they yield goes to their consumer at once, see generator_syntax.py.

    total = 0.0
    for v in positive(x):       # `positive` is called with the loop's body as its consumer
        total += v

By `next()` a generator is advanced as Python's own, which can't wait for a tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextvars import ContextVar
from types import FunctionType, GeneratorType
from typing import Any

from treadle.graph.errors import ConversionError, OperatorNotAllowedInGraphError
from treadle.graph.location import describe, user_location

from ..changes import journal
from ..convert import turned_template
from ..values.place import Helper
from ..values.truth import condition, staged
from ..values.undefined import Unused
from .streams import Loop, Once, go_over, state_of


class Passed:
    """The consumer's state on its way through a generator."""

    __slots__ = ("labels", "values")

    def __init__(self, values: Sequence[Any], labels: Sequence[str]) -> None:
        self.values = tuple(values)
        self.labels = labels

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        return list(self.values), lambda new: Passed(new, self.labels)

    @property
    def __tl_structure__(self) -> object:
        return tuple(self.labels)


class Consumer:
    """What is done with each item: the body of a loop, which is called with its state."""

    def __init__(self, body: Helper, loop: Loop) -> None:
        self.body = body
        self.loop = loop

    def passed(self, state: Sequence[Any]) -> Passed:
        return Passed(state, tuple(self.loop.names))


_given: ContextVar[tuple[Consumer, Passed] | None] = ContextVar("consumer", default=None)


def consuming() -> tuple[Consumer, Passed]:
    """The consumer that the generator is called for, and its state so far."""
    given = _given.get()
    assert given is not None
    _given.set(None)
    return given


def yielded(consumer: Consumer, item: Any, passed: Passed) -> Passed:
    """`yield item`: the consumer's state after it."""
    journal.touch_names(consumer.loop.set_state)
    result = consumer.body(item, *passed.values)
    return consumer.passed(state_of(result, len(passed.values)))


def yielded_from(consumer: Consumer, source: Any, passed: Passed) -> tuple[Passed, Any]:
    """`yield from source`: the consumer's state after it, and what the source returns."""
    if isinstance(source, Generated) and not source.is_started:
        state = source.run(consumer.body, passed.values, consumer.loop)
        return consumer.passed(state), source.returned
    return consumer.passed(go_over(source, consumer.body, passed.values, consumer.loop)), None


def has_enough(consumer: Consumer, passed: Passed) -> Any:
    """True if the consumer has left its loop."""
    assert consumer.loop.extra_test is not None
    go_on = consumer.loop.extra_test(*passed.values)
    return ~condition(go_on) if staged(go_on) else not go_on


class Generated(Once):
    """What the call of a generator function gives in a trace."""

    def __init__(
        self, function: FunctionType, relaxed: bool, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> None:
        super().__init__()
        self.function = self.make = function
        self.relaxed = relaxed
        self.args = args
        self.kwargs = kwargs
        self.generator: Generator[Any, Any, Any] = function(*args, **kwargs)
        self.is_started = False
        self.returned: Any = None

    __class__ = property(lambda self: GeneratorType)

    def run(self, body: Helper, state: Sequence[Any], loop: Loop) -> Sequence[Any]:
        template = turned_template(self.function, loop.extra_test is not None)
        if self.is_started or template is None:
            return go_over(self.generator, body, state, loop)
        if not self.begin(loop):
            return state
        self.generator.close()
        consumer = Consumer(body, loop)
        token = _given.set((consumer, consumer.passed(state)))
        try:
            function = template.function(self.function, self.relaxed or loop.relaxed)
            passed, self.returned = function(*self.args, **self.kwargs)
        finally:
            _given.reset(token)
        if isinstance(self.returned, Unused):
            self.returned = None
        values: Sequence[Any] = passed.values
        return values

    # --- as Python's own generator -------------------------------------------------------

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self.send(None)

    def send(self, value: Any) -> Any:
        journal.advance(self)
        self.is_started = True
        try:
            return self.generator.send(value)
        except OperatorNotAllowedInGraphError as error:
            raise ConversionError(
                f"a generator is advanced at {describe(user_location(2))}, and where it goes from "
                "there depends on a tensor: go over it in a 'for' loop or a comprehension, or make "
                "a list of it by list()"
            ) from error

    def throw(self, *args: Any) -> Any:
        self.is_started = True
        return self.generator.throw(*args)

    def close(self) -> None:
        self.ended = True
        self.generator.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.generator, name)
