"""Generators in a trace: what they yield goes to their consumer at once, see generator_syntax.py.

    total = 0.0
    for v in positive(x):       # `positive` is called with the loop's body as its consumer
        total += v

By `next()` a generator is advanced as Python's own, which can't wait for a tensor.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextvars import ContextVar
from types import CodeType, FunctionType, GeneratorType
from typing import Any

from treadle.graph.errors import ConversionError, OperatorNotAllowedInGraphError
from treadle.graph.location import describe, is_internal, user_location

from ..changes import journal
from ..convert import Template, turned_template
from ..syntax.generators import Use
from ..values.place import Helper, line_of
from ..values.truth import condition, staged
from ..values.undefined import Unused
from .passing import state_of
from .stream import Loop
from .streams import Once, go_over


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
        self.inside = [False]  # whether the body is at work, where a handler asks for that

    def mark(self) -> None:
        """Let it be known whether the body is at work."""
        body = self.body

        def marked(item: Any, *state: Any) -> Any:
            journal.touch(self.inside)
            self.inside[0] = True
            result = body(item, *state)
            self.inside[0] = False
            return result

        self.body = marked

    def passed(self, state: Sequence[Any]) -> Passed:
        return Passed(state, tuple(self.loop.names))


_given: ContextVar[tuple[Consumer, Passed] | None] = ContextVar("consumer", default=None)


def consuming(marked: bool = False) -> tuple[Consumer, Passed]:
    """The consumer that the generator is called for, and its state so far."""
    given = _given.get()
    assert given is not None
    _given.set(None)
    if marked:
        given[0].mark()
    return given


def is_consuming(consumer: Consumer) -> Any:
    """Whether it is the consumer that has raised an exception."""
    return consumer.inside[0]


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


class Closed(GeneratorExit):
    """What a `with` around a `yield` sees of what the consumer raises."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


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
        use = Use.ALL if loop.extra_test is None else Use.SOME
        template = turned_template(self.function, use)
        if self.is_started or template is None:
            try:
                return go_over(self.generator, body, state, loop)
            except OperatorNotAllowedInGraphError as error:
                if template is None and _raised_by(error) is self.function.__code__:
                    raise self._cant_be_turned() from error
                raise
        if not self.begin(loop):
            return state
        return self.run_as(template, body, state, loop)

    def run_as(
        self, template: Template, body: Helper, state: Sequence[Any], loop: Loop
    ) -> Sequence[Any]:
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

    def _cant_be_turned(self) -> ConversionError:
        code = self.function.__code__
        return ConversionError(
            f"the generator '{code.co_name}' at {line_of(self.function)} runs as Python's own, "
            "since a `yield` in it is part of a larger expression or stands in a `try` with "
            "`except*`; then nothing in it may depend on a tensor. Write `x = yield ...` on a line "
            "of its own, and use `x` below"
        )

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


def _raised_by(error: BaseException) -> CodeType | None:
    """The innermost code of the user's that an error comes from."""
    found, tb = None, error.__traceback__
    while tb is not None:
        code = tb.tb_frame.f_code
        found = found if is_internal(code.co_filename) else code
        tb = tb.tb_next
    return found
