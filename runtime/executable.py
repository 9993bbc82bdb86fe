"""From a graph to something that runs: optimized, planned, compiled; errors at the user's line."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph.build import explained
from ..graph.dtypes import as_dtype
from ..graph.errors import InvalidArgumentError, OpError
from ..graph.location import describe
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

    __slots__ = ("__weakref__", "_function", "_optimized", "_quiet", "graph", "plan")

    def __init__(self, graph: Graph, optimized: bool = False) -> None:
        self._optimized = optimized
        self.graph = graph  # what runs: optimized, once it is compiled
        self.plan: Plan | None = None
        self._function: Any = None

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
            self._function = function  # last: other threads take it for a sign that all is there
        return self

    def run(self, *arrays: Any) -> tuple[Any, ...]:
        """Run inside of another plan: errors are explained by the outermost."""
        if self._function is None:
            self.compile()
        results: tuple[Any, ...] = self._function(*arrays)
        return results

    def __call__(self, arrays: Sequence[Any]) -> tuple[Any, ...]:
        if self._function is None:
            self.compile()
        try:
            results: tuple[Any, ...] = self._quiet(*arrays)
        except Exception as error:
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
        # A part of a graph has been optimized with it.
        graph.executable = Executable(graph, optimized=isinstance(callee, Graph))
    found: Executable = graph.executable
    return found


def at_user_line(error: BaseException) -> BaseException:
    """The error with the op, the user's line and the operands of the node that failed."""
    tb = error.__traceback__
    node: Node | None = None
    operands: list[Any] = []
    while tb is not None:
        plan = _plans.get(tb.tb_frame.f_code.co_filename)
        if plan is not None:
            node, names = plan.node_at.get(tb.tb_lineno, (None, ()))
            scope = {**plan.namespace, **tb.tb_frame.f_locals}
            operands = [scope.get(n) for n in names]
        tb = tb.tb_next
    if node is None or getattr(error, "explained", False):
        return error
    if node.op is RAISE:
        note = f"raised at {describe(node.loc)}"
        if note not in getattr(error, "__notes__", ()):
            error.add_note(note)
        return error
    specs = [_Operand(v) for v in operands]
    if isinstance(error, OpError):
        return explained(error, node.op, specs, node.loc)
    of_python = node.attrs.get("of_list", False) or node.op.name == "text_method"
    mistaken = isinstance(error, (ValueError, TypeError, IndexError))
    if mistaken and not (node.op.effects or of_python):
        try:
            infer_specs(node.op, tuple([o.spec for o in specs]), node.attrs)
        except OpError as better:
            return explained(better, node.op, specs, node.loc)
        except Exception:
            pass
        return explained(InvalidArgumentError(str(error)), node.op, specs, node.loc)
    error.add_note(f"in the op '{node.op.name}' at {describe(node.loc)}")
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
