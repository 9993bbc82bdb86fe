"""Tracing: running Python code on symbolic arguments so that its op calls become a graph."""

from __future__ import annotations

import functools
import operator
import weakref
from collections import deque
from collections.abc import Callable, Container, Mapping, Sequence
from contextlib import contextmanager
from types import MethodType
from typing import Any

import numpy as np

from ..autograph.calls.calls import listener
from ..autograph.changes import journal
from ..autograph.changes.held import Held
from ..autograph.control.exceptions import PathEndsError, is_of_stand_in, refusal, stage_at_top
from ..autograph.values.handing import handed_out
from ..autograph.values.inside import staged_in
from ..autograph.values.snapshots import refuse_stale
from ..autograph.values.special import converted_methods
from ..graph.build import GraphBuilder, convert, interpreting, is_tracing, recording, strong
from ..graph.build import current as current_interpreter
from ..graph.control import UnknownResultError
from ..graph.effects import graph_effects
from ..graph.errors import ConversionError, VariableCreationError
from ..graph.location import describe, user_location
from ..graph.nest import children, flatten, pack, rebuild
from ..graph.node import FunctionRef, Graph, Node, Tensor, Value
from ..graph.ops.formatting import Text
from ..graph.ops.state import assign
from ..graph.ops.texts import is_text
from ..graph.settings import collector_paused, debug
from ..graph.spec import TensorSpec
from ..graph.weak import is_weak, mark
from ..runtime import EagerTensor, Variable
from ..runtime.eager import run_graph
from ..runtime.variable import creator
from .accepts import Accepts, names_within
from .concrete import ConcreteFunction
from .places import Place, Places, copies_of
from .progress import Progress, in_progress, is_lifting, note_created
from .rescue import RAISES, RESCUE, Rescue
from .signature import Keyed, is_tensor_like, spec_of
from .undo import keep_side_effects

_NEVER = object()  # a result that no path gets to
_RESULTS = (int, float, complex, str, bytes, np.ndarray, np.generic)


class Trace:
    """One attempt to trace a function: its builder, and the variables that it made."""

    def __init__(self, name: str, may_create: bool) -> None:
        parent = current_interpreter() if is_tracing() else None
        self.builder = GraphBuilder(name, parent if isinstance(parent, GraphBuilder) else None)
        self.may_create = may_create
        self.created: list[tuple[Variable, Value]] = []
        # Initial values are computed at once where the trace itself may not run.
        self.lifted = is_lifting() or _in_branch(self.builder.parent)

    def create(self, variable: Variable, initial: Tensor) -> None:
        """Take note of a variable that is made while tracing."""
        where = describe(user_location(3))
        if not self.may_create:
            raise VariableCreationError(
                f"the function '{self.builder.name}' tried to create the variable "
                f"'{variable.name}' at {where}, on a call that is not its first call. A "
                "tl.function may create variables on its first call only: make them outside, or "
                "keep them ('if self.v is None: self.v = tl.Variable(...)')"
            )
        if current_interpreter() is not self.builder:
            raise VariableCreationError(
                f"the variable '{variable.name}' is created inside of a branch or loop over "
                f"tensors, at {where}; create it before"
            )
        value = self.builder.resolve(initial)
        self.created.append((variable, value))
        if not self.lifted:
            assign(variable, value)
            note_created()

    def arguments(
        self, arguments: Mapping[str, Any], tied: Container[int]
    ) -> tuple[dict[str, Any], list[Any]]:
        """The arguments with tensors and variables replaced by symbols, and those replaced.

        A variable is replaced by another object, since the trace serves any of its kind.
        """
        given: list[Any] = []
        symbols: dict[int, Any] = {}

        def symbol(x: Any, name: str | None) -> Any:
            if is_tensor_like(x):
                given.append(x)
                spec = spec_of(x)
                made = self.builder.add_input(spec, getattr(spec, "name", None) or name or "")
                return mark(made) if is_text(x) else made
            if isinstance(x, Variable):
                if id(x) not in symbols:
                    given.append(x)
                    # One that is also captured is taken as itself, under either name.
                    seen = x if id(x) in tied else x.stand_in()
                    symbols[id(x)] = seen
                    self.builder.resolved[id(seen)] = self.builder.add_input(x.spec, name or "")
                return symbols[id(x)]
            items = children(x)
            if items is None:
                return x
            return rebuild(
                x, [symbol(item, n) for item, n in zip(items, names_within(x, name), strict=True)]
            )

        return {name: symbol(x, name) for name, x in arguments.items()}, given

    @contextmanager
    def running(self) -> Any:
        token = creator.set(self.create)
        try:
            with interpreting(self.builder), recording(()):
                yield
        finally:
            creator.reset(token)


def result_values(result: Any) -> tuple[list[Any], list[bool]]:
    """A traced function's result: leaves, and which are tensors (numbers and variables become
    tensors; None and other objects stay).
    """
    leaves = flatten(result)
    is_tensor = []
    for i, leaf in enumerate(leaves):
        if isinstance(leaf, (Tensor, Variable, *_RESULTS)):
            leaves[i] = leaf if isinstance(leaf, Value) else convert(leaf)
            is_tensor.append(True)
        else:
            is_tensor.append(hasattr(leaf, "spec"))
    return leaves, is_tensor


def _in_branch(builder: GraphBuilder | None) -> bool:
    while builder is not None:
        if not builder.is_function:
            return True
        builder = builder.parent
    return False


def trace_function(
    function: Any,
    keyed: Keyed,
    ref: FunctionRef,
    arguments: Mapping[str, Any],
    may_create: bool,
    lift: Mapping[str, Any] | None,
) -> tuple[ConcreteFunction, list[journal.Entry] | None]:
    """Trace `function` (a `tracer.Function`) on the symbols of `arguments`.

    If the trace makes variables, so that it is good for one call only, also the objects that it
    may have put them into.

    With the values of the arguments in `lift`, initial values are computed while tracing, and the
    function is then traced anew without making variables.
    """
    progress = Progress(function, keyed.parts, ref, lift is not None)
    called: dict[tuple[int, int], Callable[[], Any]] = {}

    def note(callee: Any) -> None:
        # Weakly: what is made while tracing is to go where the user's code lets go of it.
        kept: Callable[[], Any]
        try:
            method = isinstance(callee, MethodType)
            kept = weakref.WeakMethod(callee) if method else weakref.ref(callee)
        except TypeError:
            kept = functools.partial(_itself, callee)
        called[id(callee.__code__), id(getattr(callee, "__self__", None))] = kept

    with in_progress(progress):
        token = listener.set(note)
        try:
            concrete = _settled(progress, keyed, arguments, may_create, lift or arguments)
        finally:
            listener.reset(token)
    if progress.created:
        return concrete, progress.touched
    alive = [callee for kept in called.values() if (callee := kept()) is not None]
    function.read(progress.guards, arguments, alive, concrete.state)
    return concrete, None


def _itself(x: Any) -> Any:
    return x


def _settled(
    progress: Progress,
    keyed: Keyed,
    arguments: Mapping[str, Any],
    may_create: bool,
    values: Mapping[str, Any],
) -> ConcreteFunction:
    """A function that calls itself is traced again until what its own calls assume of it (specs,
    effects, captures) is what the trace gives.
    """
    function, ref = progress.function, progress.ref
    name, converted = function.name, function.converted()
    captures: list[Any] | None = None
    known_places: list[Held] = []
    watched: list[Place] = []
    for _ in range(12):
        trace = Trace(name, may_create)
        symbols, _ = trace.arguments(arguments, keyed.tied)
        copies = copies_of(arguments, symbols)
        places = Places(known_places, copies, watched, symbols)
        rescue = trace.builder.watch = Rescue(places, trace.builder)
        debug(1, f"treadle: tracing {name}({', '.join(f'{n}={x!r}' for n, x in symbols.items())})")
        args, kwargs = function.parameters.unbind(symbols)
        ref.extra["captures"] = captures or []
        try:
            with (
                trace.running(),
                collector_paused(),
                converted_methods(converted, symbols.values()),
                journal.opened(staged=False, is_trace=True) as scope,
            ):
                places.enter(trace.builder)
                results = [_result_of(converted, args, kwargs, scope)]
                returns = results[0] is not _NEVER
                if not returns:
                    results[0] = None
                leaves, is_tensor = result_values(results[0])
                journal.stage_all(scope, None if function.is_helper else copies)
                places.stage(scope)
                again = places.finish(scope, rescue.was_told, results, leaves)
        except UnknownResultError as error:
            if error.callee is not ref:
                raise  # for a branch of that one to deal with
            raise RecursionError(str(error)) from None
        if again is not None:
            known_places, watched = again
            progress.drop_resting()
            continue
        state = places.state()
        if state is not None and "recursive" in ref.extra:
            raise ConversionError(state.recursion(name))
        if rescue.raises:
            ref.extra[RAISES] = True
        if state is not None and rescue.was_told:
            state.rescue = ref.extra[RESCUE] = rescue
        if trace.created and (trace.lifted or "recursive" in ref.extra):
            _initialize(trace, [*Trace(name, False).arguments(values, ())[1], *places.leaves])
            may_create = progress.created = False
            progress.drop_resting()
            continue
        outputs = [x for x, t in zip(leaves, is_tensor, strict=True) if t]
        graph = _finish(trace.builder, [*outputs, *places.results], captures)
        refuse_stale(trace.builder, graph)
        found = trace.builder.captures if captures is None else captures
        known = (ref.specs, ref.effects, captures is not None)
        ref.specs, ref.effects = graph.out_specs, graph_effects(graph)
        recursive = ref.extra.pop("recursive", False)
        same = {id(c) for c in found} == {id(c) for c in trace.builder.captures}
        if not recursive or (known == (ref.specs, ref.effects, True) and same):
            ref.graph = graph
            template = pack(
                results[0], [None if t else x for x, t in zip(leaves, is_tensor, strict=True)]
            )
            of_class = _is_of_class(function.python_function)
            accepts = Accepts(name, function.parameters, arguments, keyed.tied, of_class)
            progress.touched = list(scope.entries.values())
            return ConcreteFunction(
                ref, list(found), template, is_tensor, accepts, progress.guards, state, returns
            )
        progress.drop_resting()
        ref.extra["rebuild"] = _rebuilder(results[0], leaves, is_tensor)
        captures = list({id(c): c for c in [*found, *trace.builder.captures]}.values())
    raise RecursionError(f"the results of the recursive function '{name}' do not settle")


def _result_of(converted: Callable[..., Any], args: Any, kwargs: Any, scope: journal.Scope) -> Any:
    """_NEVER if every path raises when the graph runs."""
    try:
        return _leaving(converted(*args, **kwargs))
    except PathEndsError:
        return _NEVER
    except Exception as error:
        if not stage_at_top(error):
            keep_side_effects(scope, error)
            if is_of_stand_in(error):
                raise refusal(error) from error
            raise
        return _NEVER


def _leaving(result: Any) -> Any:
    """The result with what AutoGraph's own objects (optional values, say) hand out instead."""
    staged = staged_in(result)
    if staged is not None and type(result) is not deque:
        result = staged.copy()
        result.leaves = True
    handed = handed_out(result, _leaving)
    if handed is not None:
        return handed
    leave = getattr(type(result), "__tl_leave__", None)
    if leave is not None:
        return _leaving(leave(result))
    if is_weak(result):  # Python's floats have 64 bits, by themselves they give float32
        return strong(result) if result.dtype.is_floating else result
    items = children(result)
    if items is None:
        return result
    new = [_leaving(item) for item in items]
    return result if all(map(operator.is_, items, new)) else rebuild(result, new)


def handed_on(argument: Any) -> Any:
    """An argument of a call in a trace, with what AutoGraph's own objects give for themselves."""
    give = getattr(type(argument), "__tl_argument__", None)
    if give is not None:
        return give(argument)
    if isinstance(argument, Text):
        return convert(argument)
    if is_weak(argument):
        return strong(argument)
    items = children(argument)
    if items is None:
        return argument
    new = [handed_on(item) for item in items]
    return argument if all(map(operator.is_, items, new)) else rebuild(argument, new)


def _rebuilder(result: Any, leaves: list[Any], is_tensor: list[bool]) -> Callable[[Any], Any]:
    """How a call of the function itself puts its results together."""

    def build(values: Sequence[Any]) -> Any:
        remaining = iter(values)
        merged = [next(remaining) if t else x for x, t in zip(leaves, is_tensor, strict=True)]
        return pack(result, merged)

    return build


def _is_of_class(function: Any) -> bool:
    """True for what is defined in the body of a class."""
    home = getattr(function, "__qualname__", "").rpartition(".")[0]
    return bool(home) and not home.endswith("<locals>")


def _finish(builder: GraphBuilder, outputs: list[Any], captures: list[Any] | None) -> Graph:
    for value in captures or ():
        builder.resolve(value)
    graph = builder.finish(outputs)
    if captures is None:
        return graph
    arguments = graph.inputs[: len(graph.inputs) - graph.captured]
    first = [builder.resolved[id(c)] for c in captures]
    ordered = list(dict.fromkeys([*first, *graph.inputs[len(arguments) :]]))
    return Graph(graph.name, (*arguments, *ordered), graph.nodes, graph.outputs, len(ordered))


def _initialize(trace: Trace, given: Sequence[Any]) -> None:
    """Give the variables that the trace made their values, in the order in which they were made.

    Only what an initial value depends on is run.
    """
    builder = trace.builder
    inputs = [*given, *builder.captures]
    for variable, initial in trace.created:
        graph = _slice(builder, initial)
        used = {v for node in graph.nodes for v in node.inputs} | set(graph.outputs)
        values = []
        for parameter, x in zip(graph.inputs, inputs, strict=True):
            if parameter in used and isinstance(x, (TensorSpec, Value)):
                raise VariableCreationError(
                    f"the initial value of '{variable.name}' depends on an argument that has no "
                    "value yet; call the function before get_concrete_function"
                )
            if parameter not in used:
                values.append(EagerTensor(np.zeros(0)))
            else:
                values.append(x if hasattr(x, "_value") else EagerTensor(np.array(x)))
        with interpreting(None), recording(()):
            (value,) = run_graph(graph, values)
        variable._value.array = value._value


def _slice(builder: GraphBuilder, result: Value) -> Graph:
    """The graph of one value of a builder at work: just the nodes that it depends on."""
    needed = {result}
    kept: list[Node] = []
    for node in reversed(builder.nodes):
        if any(v in needed for v in node.outputs):
            needed.update(node.inputs)
            kept.append(node)
    env: dict[Value, Value] = {v: v for v in builder.inputs}
    nodes = []
    for node in reversed(kept):
        copy = Node(
            node.op, tuple([env[v] for v in node.inputs]), node.attrs, node.specs, (), node.loc
        )
        env.update(zip(node.outputs, copy.outputs, strict=True))
        nodes.append(copy)
    name = f"{builder.name}_initial_value"
    return Graph(name, tuple(builder.inputs), tuple(nodes), (env[result],), len(builder.captures))
