"""Loops that become a `while` node: their state is found by tracing the body."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from treadle.graph import Tensor
from treadle.graph.build import GraphBuilder, current
from treadle.graph.control import UnknownResultError, emit_while
from treadle.graph.effects import node_effects
from treadle.graph.errors import (
    LoopDtypeError,
    LoopShapeError,
    PythonLoopError,
    UndefinedVariableError,
)
from treadle.graph.op import IO, WRITE
from treadle.graph.ops.define import constant_of
from treadle.graph.ops.logic import logical_and

from .carried import Carried, Choices, How, RetryError
from .conditionals import Getter, Setter
from .place import Helper, LoopSite
from .rows import Rows
from .state import NUMBERS, accepts, is_tensor, same_object
from .truth import condition, staged

_ATTEMPTS = 8
_FINAL = (
    *(LoopDtypeError, LoopShapeError, PythonLoopError),
    *(UndefinedVariableError, UnknownResultError),
)


class StagedLoop:
    """One loop over tensors.

    Python numbers in the state become tensors before the loop. Where the body gives them another
    dtype that fits, or can't do with a tensor and does not change them, it is traced again.
    """

    def __init__(
        self,
        site: LoopSite,
        names: Sequence[str],
        get_state: Getter | None,
        set_state: Setter | None,
    ) -> None:
        self.site = site
        self.count = len(names)
        self.get_state = get_state
        self.set_state = set_state
        self.in_place = get_state() if get_state is not None else {}
        self.labels = [*names, *self.in_place]

    def run_while(
        self, test: Helper, body: Helper, state: Sequence[Any], go_on: Any, acted: bool
    ) -> list[Any]:
        """The state behind a loop whose test gave `go_on` for the first iteration.

        `acted`: in doing so it printed or assigned. Then the test is done at the end of the body,
        and what it gives is carried, so that it is done as often as it should be.
        """
        first = condition(go_on)

        def once(loop: Carried) -> list[Any]:
            return self._call(body, loop.arguments(loop.body))

        def next_internal(loop: Carried, after: Sequence[Any]) -> list[Tensor]:
            return [condition(self._call_test(test, after))] if acted else []

        def holds(loop: Carried) -> Tensor:
            if acted:
                return loop.test.inputs[0]
            return condition(self._call_test(test, loop.arguments(loop.test)))

        surely = constant_of(first)
        internal = [("test", first)] if acted else []
        runs = surely is not None and bool(surely)
        return self._trace(state, internal, once, next_internal, holds, runs)

    def run_for(
        self, rows: Rows, body: Helper, state: Sequence[Any], extra_test: Helper | None
    ) -> list[Any]:
        """The state behind a loop over `rows`."""

        def once(loop: Carried) -> list[Any]:
            item = rows.item(loop.body.inputs[0])
            return self._call(body, loop.arguments(loop.body), item)

        def next_internal(loop: Carried, after: Sequence[Any]) -> list[Tensor]:
            return [loop.body.inputs[0] + rows.step]

        def holds(loop: Carried) -> Tensor:
            more = rows.more(loop.test.inputs[0])
            if extra_test is None:
                return more
            go_on = self._call_test(extra_test, loop.arguments(loop.test))
            both: Tensor = logical_and(more, condition(go_on)) if staged(go_on) else more
            return both

        internal = [("index", rows.start)]
        return self._trace(state, internal, once, next_internal, holds, rows.surely)

    def _trace(
        self,
        state: Sequence[Any],
        internal: Sequence[tuple[str, Tensor]],
        once: Callable[[Carried], list[Any]],
        next_internal: Callable[[Carried, Sequence[Any]], list[Tensor]],
        holds: Callable[[Carried], Tensor],
        surely: bool,
    ) -> list[Any]:
        values = [*state, *self.in_place.values()]
        choices: Choices = {}
        try:
            for _ in range(_ATTEMPTS):
                loop = Carried(self.site, self.labels, values, choices, internal, surely)
                try:
                    with loop.body:
                        after = once(loop)
                    loop.match(after)
                except RetryError as retry:
                    choices = {**choices, retry.path: retry.choice}
                    continue
                except _FINAL:
                    raise
                except Exception as error:
                    found = self._probe(loop, once)
                    if found is None or found == choices:
                        _explain(error, loop)
                        raise
                    choices = found
                    continue
                return self._emit(loop, after, next_internal, holds)
            raise RetryError((), How.PYTHON)
        finally:
            self._restore(self.in_place)

    def _emit(
        self,
        loop: Carried,
        after: Sequence[Any],
        next_internal: Callable[[Carried, Sequence[Any]], list[Tensor]],
        holds: Callable[[Carried], Tensor],
    ) -> list[Any]:
        with loop.body:
            loop.outputs[: loop.internal] = next_internal(loop, after)
        with loop.test:
            test = holds(loop)
        loop.drop_constants()
        results = emit_while(loop.initial, loop.test, test, loop.body, loop.outputs)
        values = [plan.build(results) for plan in loop.results]
        self.in_place = dict(zip(self.in_place, values[self.count :], strict=True))
        return values[: self.count]

    def _call(self, body: Helper, values: Sequence[Any], *item: Tensor) -> list[Any]:
        """The body's results: the state, then what it assigned in place."""
        self._restore(dict(zip(self.in_place, values[self.count :], strict=True)))
        result = body(*item, *values[: self.count])
        after = list(result) if self.count > 1 else [result][: self.count]
        return after + (list(self.get_state().values()) if self.get_state is not None else [])

    def _call_test(self, test: Helper, values: Sequence[Any]) -> Any:
        self._restore(dict(zip(self.in_place, values[self.count :], strict=True)))
        return test(*values[: self.count])

    def _restore(self, in_place: dict[str, Any]) -> None:
        if self.set_state is not None:
            self.set_state(in_place)

    def _probe(self, loop: Carried, once: Callable[[Carried], list[Any]]) -> Choices | None:
        """What the body makes of the numbers as they are, after it failed with tensors."""
        numbers = {(i,): v for i, v in enumerate(loop.values) if isinstance(v, NUMBERS)}
        if not numbers:
            return None
        as_they_are: Choices = {**loop.choices, **dict.fromkeys(numbers, How.PYTHON)}
        internal = list(zip(loop.names, loop.initial, strict=True))[: loop.internal]
        probe = Carried(self.site, self.labels, loop.values, as_they_are, internal, loop.surely)
        try:
            with probe.body:
                after = once(probe)
        except Exception:
            return None
        found = dict(loop.choices)
        for path, before in numbers.items():
            value = after[path[0]]
            if same_object(before, value):
                found[path] = How.PYTHON
            elif is_tensor(value) and hasattr(value, "dtype") and accepts(value.dtype, before):
                found[path] = value.dtype
        return found


def acted_since(mark: int) -> bool:
    """True if the nodes that the current graph got after its first `mark` print or assign."""
    builder = current()
    assert isinstance(builder, GraphBuilder)
    return any(
        effect in (IO, WRITE) for node in builder.nodes[mark:] for effect, _ in node_effects(node)
    )


def node_count() -> int:
    builder = current()
    return len(builder.nodes) if isinstance(builder, GraphBuilder) else 0


def _explain(error: Exception, loop: Carried) -> None:
    for name, value in zip(loop.labels, loop.values, strict=True):
        if isinstance(value, NUMBERS) and not isinstance(value, bool):
            error.add_note(
                f"in the loop at {loop.site.line}, '{name}' is a tensor: it was the Python "
                f"{type(value).__name__} {value!r} before"
            )
