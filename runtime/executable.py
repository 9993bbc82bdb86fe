"""From a graph to something that runs: optimized, planned, compiled; errors at the user's line."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from ..graph.dtypes import as_dtype
from ..graph.errors import InvalidArgumentError, OpError, ResourceExhaustedError
from ..graph.explain import explained
from ..graph.location import (
    Loc,
    chained,
    describe,
    entries,
    entry_at,
    is_of_library,
    strip_internal_frames,
)
from ..graph.node import FunctionRef, Graph, Node
from ..graph.op import infer_specs
from ..graph.ops.raising import RAISE
from ..graph.passes.pipeline import optimize
from ..graph.persistent import PersistentArray
from ..graph.settings import collector_paused, debug
from ..graph.spec import TensorSpec
from ..graph.streams import Cursor
from .plan import Plan
from .variable import Storage


class Executable:
    """A graph that can be called with arrays (and storages of variables)."""

    __slots__ = ("__weakref__", "_function", "_optimized", "_quiet", "graph", "plan", "run")

    def __init__(self, graph: Graph, optimized: bool = False) -> None:
        self._optimized = optimized
        self.graph = graph  # what runs: optimized, once it is compiled
        self.plan: Plan | None = None
        self._function: Any = None
        # Inside of another plan, where errors are explained by the outermost. Once it is compiled
        # this is the plan itself: a recursion takes one frame of Python's for each call.
        self.run: Callable[..., tuple[Any, ...]] = self._first

    def compile(self) -> Executable:
        with _compiling, collector_paused():
            if self._function is not None:
                return self
            graph = self.graph if self._optimized else optimize(self.graph)
            plan = Plan(graph, _link, at_user_line)
            function = plan.compile()
            for part in plan.parts:
                _link(part).compile()
            debug(4, plan.source)
            _plans[plan.filename] = plan
            self.graph, self.plan = graph, plan
            self._quiet = np.errstate(all="ignore")(function)
            self.run = function
            self._function = function  # last: other threads take it for a sign that all is there
        return self

    def _first(self, *arrays: Any) -> tuple[Any, ...]:
        return self.compile().run(*arrays)

    def __call__(self, arrays: Sequence[Any]) -> tuple[Any, ...]:
        if self._function is None:
            self.compile()
        try:
            results: tuple[Any, ...] = self._quiet(*arrays)
        except (Exception, KeyboardInterrupt) as error:
            raise at_user_line(error) from error.__cause__
        return results


_compiling = threading.RLock()
_plans: weakref.WeakValueDictionary[str, Plan] = weakref.WeakValueDictionary()  # by file name


def executable(graph: Graph) -> Executable:
    """The compiled form of `graph`, made when first asked for. The graph keeps it: the two may
    reach each other, and go together.
    """
    found: Executable | None = graph.executable
    if found is None:
        found = graph.executable = Executable(graph)
        found.compile()
    return found


def _link(callee: FunctionRef | Graph) -> Executable:
    """What a call runs; compiled at its first call, since functions may call themselves."""
    graph = callee.graph if isinstance(callee, FunctionRef) else callee
    assert graph is not None
    if graph.executable is None:
        # What an optimized graph calls, and each part of it, has been optimized with it.
        graph.executable = Executable(graph, optimized=True)
    found: Executable = graph.executable
    return found


def at_user_line(error: BaseException) -> BaseException:
    """The error with the op, the user's line and the operands of the node that failed; its
    traceback leads to that line.
    """
    parts: list[TracebackType] = []
    made: dict[Loc, TracebackType] = {}
    node: Node | None = None
    operands: list[Any] = []
    for tb in entries(error.__traceback__):
        plan = _plans.get(tb.tb_frame.f_code.co_filename)
        if plan is None:
            parts.append(tb)
            continue
        node, names = plan.node_at.get(tb.tb_lineno, (None, ()))
        scope = {**plan.namespace, **tb.tb_frame.f_locals}
        operands = [scope.get(n) for n in names]
        loc = plan.place_of(tb.tb_lineno)
        if loc is not None:
            if loc not in made:
                made[loc] = entry_at(loc)
            parts.append(made[loc])
    inner = parts[-1] if parts else None
    of_op = inner is None or inner in made.values() or is_of_library(inner)
    strip_internal_frames(error.with_traceback(chained(parts)))
    if node is None or node.op is RAISE or not of_op or getattr(error, "explained", False):
        return error  # what the user's own code raised stays as it is
    return _explained(error, node, operands)


def _explained(error: BaseException, node: Node, operands: Sequence[Any]) -> BaseException:
    """The error in terms of the op."""
    specs = [_Operand(v) for v in operands]
    better: OpError | None = None
    of_python = node.attrs.get("of_list", False) or node.op.name == "text_method"
    if isinstance(error, OpError):
        better = error
    elif isinstance(error, MemoryError):
        better = ResourceExhaustedError(str(error))
    else:
        mistaken = isinstance(error, (ValueError, TypeError, IndexError))
        if mistaken and not (node.op.effects or of_python):
            better = InvalidArgumentError(str(error))
            try:
                infer_specs(node.op, tuple([o.spec for o in specs]), node.attrs)
            except OpError as found:
                better = found
            except Exception:
                pass
    if better is not None:
        made = explained(better, node.op, specs, node.loc)
        return made.with_traceback(error.__traceback__)
    if not (of_python or node.op.structured):
        error.add_note(f"in the op '{node.op.display or node.op.name}' at {describe(node.loc)}")
    return error


class _Operand:
    """An operand of a failed node, as `explained` shows it."""

    def __init__(self, value: Any) -> None:
        array = getattr(value, "array", value)
        if isinstance(array, (np.ndarray, np.generic)):
            self.spec: Any = TensorSpec(array.shape, as_dtype(array.dtype))
        else:
            self.spec = _described(value)


def _described(value: Any) -> str:
    match value:
        case Storage():
            return "a variable"
        case PersistentArray():
            return f"an array of {len(value)} items"
        case Cursor():
            return "an iterator"
        case _:
            return type(value).__name__
