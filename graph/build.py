"""The one door of all op calls, and the builder that makes a graph of them.

`apply(op, inputs, attrs)` asks the current interpreter: by default the eager one (the runtime
installs it), inside a trace the `GraphBuilder` at work. Nothing dispatches on the class of data.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

import numpy as np

from .carrying import Carried
from .convert import Array, to_array
from .dtypes import DType
from .effects import Order, effects_of, node_effects
from .errors import DTypeError, InternalError, LeakedTensorError, OpError
from .explain import explained
from .holders import container_of
from .location import Loc, describe, strip_internal_frames, user_location
from .nest import staged_list
from .node import Effects, Graph, Node, Tensor, Value
from .op import ANYTHING, CHECKS, OPS, Attrs, Op, infer_specs
from .spec import Spec, TensorShape, TensorSpec
from .weak import (
    DEFAULT,
    KEEPING,
    OPEN,
    UNARY,
    are_python,
    common,
    default_of,
    is_number,
    is_python,
    is_weak,
    kind_of,
    mark,
    takes,
)

NO_ATTRS: Attrs = {}
_RAISING = (CHECKS, ANYTHING)


class Interpreter(Protocol):
    """What carries out op calls: eager execution or a graph builder."""

    @property
    def numbers(self) -> Collection[Value]: ...  # that stand for Python's (see weak.py)
    def apply(self, op: Op, inputs: Sequence[Any], attrs: Attrs) -> Any: ...
    def constant(self, array: Array) -> Tensor: ...


class Recorder(Protocol):
    """What sees each op call after it is carried out: a gradient tape."""

    @property
    def orders(self) -> int: ...  # of gradients that it may be asked for
    def record(
        self, op: Op, inputs: Sequence[Any], attrs: Attrs, outputs: Any, above: int = 0
    ) -> None: ...
    def widened(self, node: Node) -> None: ...
    def is_watched(self, value: Any) -> bool: ...


_current: ContextVar[Interpreter | None] = ContextVar("interpreter", default=None)
_recorders: ContextVar[tuple[Recorder, ...]] = ContextVar("recorders", default=())
_default: list[Interpreter] = []


def set_default(interpreter: Interpreter) -> None:
    """Install the interpreter that works outside of traces."""
    _default[:] = [interpreter]


def eager_constant(array: Array) -> Tensor:
    """A tensor that has a value, also while a graph is built."""
    return _default[0].constant(array)


def current() -> Interpreter:
    return _current.get() or _default[0]


def is_tracing() -> bool:
    """True while a graph is built."""
    return _current.get() is not None


@contextmanager
def waiting_for(values: Sequence[Any] | None) -> Iterator[None]:
    """Let the nodes that are made in this block come after those that made `values` (of a variable
    the last assignment), and after those of the blocks around it; None forgets these.
    """
    builder = _current.get()
    if not isinstance(builder, GraphBuilder):
        yield
        return
    before = builder.controls
    if values is None:
        builder.controls = ()
    else:
        nodes = [v.node for v in values if type(v) is Value and v.owner is builder]
        variables = [v for v in values if hasattr(type(v), "__tl_tensor__")]
        nodes += [builder.last_assignment(v) for v in variables]
        builder.controls = tuple(dict.fromkeys([*before, *[n for n in nodes if n is not None]]))
    try:
        yield
    finally:
        builder.controls = before


def current_branch() -> GraphBuilder | None:
    """The branch or loop body that is traced now, if it is one."""
    builder = _current.get()
    return builder if isinstance(builder, GraphBuilder) and not builder.is_function else None


@contextmanager
def interpreting(interpreter: Interpreter | None) -> Iterator[None]:
    """Make `interpreter` the current one; None means eager."""
    token = _current.set(interpreter)
    try:
        yield
    finally:
        _current.reset(token)


def recorders() -> tuple[Recorder, ...]:
    return _recorders.get()


@contextmanager
def recording(active: tuple[Recorder, ...]) -> Iterator[None]:
    """Let just the recorders `active` see op calls."""
    token = _recorders.set(active)
    try:
        yield
    finally:
        _recorders.reset(token)


def leaves_tapes(value: Any, how: str) -> None:
    """Tell the tapes that something is made of `value` which they can't see."""
    for recorder in _recorders.get():
        left = getattr(recorder, "left", None)
        if left is not None:
            left(value, how)


def set_recorders(active: tuple[Recorder, ...]) -> None:
    _recorders.set(active)


def apply(op: Op, inputs: Sequence[Any], attrs: Attrs = NO_ATTRS, above: int = 0) -> Any:
    """Carry out `op` on tensors: the result, a tuple of results where the op has several.

    `above`: how many frames, the caller's first, are known to be treadle's: a walk is saved.
    """
    interpreter = _current.get() or _default[0]
    if interpreter.numbers and op.name not in OPEN and not op.structured:
        inputs = [strong(x) for x in inputs]
    active = _recorders.get()
    carried = Carried(active, op, inputs, attrs) if active and op.structured else None
    if carried is not None:
        inputs, attrs = carried.inputs, carried.attrs
    try:
        outputs = interpreter.apply(op, inputs, attrs)
    except OpError as error:
        raise strip_internal_frames(explained(error, op, inputs)) from None
    if active:
        for recorder in active:
            recorder.record(op, inputs, attrs, outputs, above)
    return outputs if carried is None else carried.results(outputs)


def convert(value: Any, dtype: DType | None = None, hint: DType | None = None) -> Tensor:
    """`value` as a tensor of the current interpreter; variables are read, lists packed.

    A tensor of another dtype than `dtype` is an error, `hint` is the dtype to prefer for values
    that are no tensors yet.
    """
    if isinstance(value, Tensor):
        if type(value) is Value and is_weak(value):
            value = strong(value, dtype or hint)
        return value if dtype is None else _checked(value, dtype)
    read = getattr(value, "__tl_tensor__", None)
    if read is not None:
        return convert(read(), dtype)
    if isinstance(value, (list, tuple)) and not isinstance(value, TensorShape):
        staged = staged_list(value)
        if staged is not None:
            return convert(staged, dtype)
        first = _first_tensor(value)
        if first is not None:
            return _pack(value, first, dtype)
    if hint is not None and dtype is None:
        try:
            return current().constant(to_array(value, hint))
        except DTypeError:
            if isinstance(value, (int, float, complex)):  # np.float64, a float, is weak as well
                raise
    return current().constant(to_array(value, dtype))


def _checked(value: Tensor, dtype: DType) -> Tensor:
    if value.dtype is not dtype:
        raise DTypeError(
            f"a tensor of dtype {dtype.name} is needed, this one is {value.dtype.name}; use tl.cast"
        )
    return value


def _first_tensor(value: Any) -> Any:
    """The first tensor or variable in nested lists; None if there is none."""
    for kind in set(map(type, value)):
        if issubclass(kind, (Tensor, list, tuple)) or hasattr(kind, "__tl_tensor__"):
            break
    else:
        return None  # the common case: numbers
    for v in value:
        if isinstance(v, Tensor) or hasattr(v, "__tl_tensor__"):
            return v
        found = _first_tensor(v) if isinstance(v, (list, tuple)) else None
        if found is not None:
            return found
    return None


def _pack(value: Any, first: Any, dtype: DType | None) -> Tensor:
    """Nested lists with tensors in them; numbers beside these take the first one's dtype."""
    hint = hint_of(value, first)
    items = [convert(v, dtype, hint) for v in value]
    result: Tensor = apply(OPS["stack"], items, {"axis": 0})
    return result


def hint_of(values: Any, first: Any) -> DType:
    """The dtype of a list with tensors: that of the first one which is no Python number."""
    if not is_weak(first):
        dtype: DType = (first if hasattr(first, "dtype") else convert(first)).dtype
        return dtype
    for v in values:
        if isinstance(v, Tensor) and not is_weak(v):
            return v.dtype
    numbers = [v for v in values if is_number(v)]
    return default_of(max(numbers or [first], key=lambda v: "bifc".index(kind_of(v))))


def binary(op: Op, x: Any, y: Any) -> Any:
    """Apply an op of two operands; a number or array beside a tensor takes its dtype."""
    if type(x) is type(y) is Value and x.owner is y.owner and not (x.owner and x.owner.numbers):
        return apply(op, (x, y), NO_ATTRS, 2)
    if (type(x) is Value and is_python(x)) or (type(y) is Value and is_python(y)):
        result = apply(op, operands(op, x, y), NO_ATTRS)
        return mark(result) if op.name in KEEPING and are_python(x, y) else result
    if not isinstance(x, Tensor) or not isinstance(y, Tensor):
        x, y = operands(op, x, y)
    return apply(op, (x, y), NO_ATTRS, 2)


def operands(op: Op, x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Two operands as tensors: a number or list takes the dtype of the tensor beside it."""
    try:
        if is_weak(x) or is_weak(y):
            return _beside_weak(op, x, y)
        if isinstance(x, Tensor) and isinstance(y, Tensor):
            return x, y
        return _operands(x, y)
    except OpError as error:
        raise explained(error, op, (x, y)) from None


def _beside_weak(op: Op, x: Any, y: Any) -> tuple[Tensor, Tensor]:
    """Operands, one of which stands for a Python number."""
    if not (is_number(x) and is_number(y)):
        if is_weak(x):
            y = convert(y)
            return strong(x, y.dtype), y
        x = convert(x)
        return x, strong(y, x.dtype)
    dtype = common(op.name, x, y)
    if op.name not in KEEPING:
        dtype = DEFAULT[dtype.kind]
    return _number(x, dtype), _number(y, dtype)


def _number(x: Any, dtype: DType) -> Tensor:
    if isinstance(x, Tensor):
        return _cast(x, dtype)
    return current().constant(np.asarray(x).astype(dtype.numpy))


def _cast(x: Tensor, dtype: DType) -> Tensor:
    if x.dtype is dtype:
        return x
    result: Tensor = apply(OPS["cast"], (x,), {"dtype": dtype})
    return result


def strong(x: Tensor, wanted: DType | None = None) -> Tensor:
    """`x`, or what a Python number becomes if it stands for one: `wanted`, if that can be."""
    if not is_weak(x):
        return x
    dtype = wanted if wanted is not None and takes(wanted, x) else default_of(x)
    if x.dtype is not dtype or dtype is default_of(x):
        return _cast(x, dtype)
    result: Tensor = apply(OPS["cast"], (x,), {"dtype": dtype})  # that is not weak
    return result


def _operands(x: Any, y: Any) -> tuple[Tensor, Tensor]:
    if hasattr(x, "__tl_tensor__"):
        x = x.__tl_tensor__()
    if hasattr(y, "__tl_tensor__"):
        y = y.__tl_tensor__()
    if isinstance(x, Tensor):
        return x, convert(y, hint=x.dtype)
    if isinstance(y, Tensor):
        return convert(x, hint=y.dtype), y
    if isinstance(x, (bool, int, float, complex)) and not isinstance(
        y, (bool, int, float, complex)
    ):
        other = convert(y)
        try:
            return convert(x, hint=other.dtype), other
        except DTypeError:
            pass  # 0.5 beside a list of ints: these become floats
    x = convert(x)
    return x, convert(y, hint=x.dtype)


class GraphBuilder:
    """A graph under construction: an interpreter whose op calls become nodes.

    A builder with a `parent` makes a branch or loop body: values of the parent (and of its
    parents) that are used here become captured inputs, whose sources are `captures`. The builder
    of a whole function also captures eager tensors and variables.
    """

    __slots__ = (
        *("_constants", "_order", "captures", "caught", "closed", "controls", "derived", "inputs"),
        *("is_function", "mixes", "numbers", "replay", "watch"),
        *("facts", "loc", "name", "nodes", "parent", "plain_again", "refined", "resolved"),
    )

    def __init__(
        self, name: str, parent: GraphBuilder | None = None, is_function: bool = True
    ) -> None:
        self.name = name
        self.parent = parent
        self.is_function = is_function
        self.nodes: list[Node] = []
        self.inputs: list[Value] = []
        self.captures: list[Any] = []  # what each captured input stands for
        self.resolved: dict[int, Value] = {}  # by id of what is captured
        self.refined: list[tuple[Value, Value, Value | None]] = []  # see refined.py
        self.plain_again: list[Value] = []  # of class Refined until the graph is finished
        self.derived: dict[Any, Any] = {}  # what gradients derived from nodes, to use it again
        self.facts: dict[int, tuple[Value, bool]] = {}  # truth values that are known here, by id
        self.loc: Loc | None = None  # set while nodes of another graph are replayed
        self.controls: tuple[Node, ...] = ()  # what all nodes have to wait for: by request
        self.watch: Any = None  # is told of nodes that may raise, within the body of a `try`
        self.caught: list[Any] = []  # regions that an exception has left, which is handled now
        self.replay: Any = None  # gives nodes that are there already, in place of new ones
        inner = parent is not None and not is_function
        # What stands for a Python number (see weak.py).
        self.numbers: set[Value] = parent.numbers if inner and parent is not None else set()
        self.closed = False
        self.mixes = False  # an op has found dtypes that don't go together, here or further inside
        self._constants: dict[tuple[str, tuple[int, ...], bytes], Value] = {}
        self._order = Order()

    def add_input(self, spec: Spec, name: str = "") -> Value:
        """An argument of the graph; all arguments come before the first capture."""
        if isinstance(spec, TensorSpec) and spec.name is not None:
            spec = TensorSpec(spec.shape, spec.dtype)
        value = Value(None, len(self.inputs), spec, self, name)
        self.inputs.append(value)
        return value

    def apply(self, op: Op, inputs: Sequence[Any], attrs: Attrs) -> Any:
        values = tuple(
            [v if type(v) is Value and v.owner is self else self.resolve(v) for v in inputs]
        )
        try:
            specs = infer_specs(op, tuple([v.spec for v in values]), attrs)
        except DTypeError:
            self._note_mixed()
            raise
        node = self.add(op, values, attrs, specs)
        if self.numbers and op.name in UNARY and is_weak(inputs[0]):
            mark(node.outputs[0])
        return node.outputs if op.multiple else node.outputs[0]

    def add(self, op: Op, inputs: tuple[Value, ...], attrs: Attrs, specs: tuple[Spec, ...]) -> Node:
        """Append a node whose inputs belong to this builder."""
        if self.replay is not None:
            known: Node = self.replay(op, inputs)
            return known
        loc = self.loc or user_location(4)
        effects: Effects = ()
        if op.effects or op.checks is not None or op.structured:
            effects = effects_of(op, inputs, attrs)
            if any(e in _RAISING for e, _ in effects):
                watch = self.watched_by()
                if watch is not None:
                    watch(self, op, attrs)
        after = self._order.edges(effects, inputs) if effects else ()
        if self.controls and op.name != "const":
            after = tuple(dict.fromkeys((*after, *self.controls)))
        node = Node(op, inputs, attrs, specs, after, loc, self)
        if effects:
            self._order.add(node, effects)
        if not op.structured:
            node.effects = effects
        self.nodes.append(node)
        return node

    def _note_mixed(self) -> None:
        builder: GraphBuilder | None = self
        while builder is not None:
            builder.mixes, builder = True, builder.parent

    def watched_by(self) -> Any:
        """What is told of nodes that may raise here, or None."""
        builder: GraphBuilder | None = self
        while builder is not None:
            if builder.watch is not None or builder.is_function:
                return builder.watch
            builder = builder.parent
        return None

    def constant(self, array: Array) -> Value:
        """The node of a constant; equal small ones are shared (equal to the bit)."""
        op = OPS["const"]
        if array.size > 16 or array.dtype.hasobject:
            value: Value = self.apply(op, (), {"value": array})
            return value
        key = (array.dtype.char, array.shape, array.tobytes())
        known = self._constants.get(key)
        if known is None:
            known = self._constants[key] = self.apply(op, (), {"value": array})
        return known

    def resolve(self, value: Any) -> Value:
        """The value of this graph for `value`, which may come from outside."""
        if type(value) is Value and value.owner is self:
            return value
        known = self.resolved.get(id(value))
        if known is not None:
            return known
        if isinstance(value, Value):
            if value.owner is self:
                return value
            if not self.lies_in(value.owner):
                raise leaked(value)
        if not self.is_function:
            # A branch captures what its parent knows the value as, once.
            assert self.parent is not None
            outer = self.parent.resolve(value)
            known = self.resolved.get(id(outer))
            if known is not None:
                self.resolved[id(value)] = known
                return known
        else:
            outer = value
        captured = self.add_input(value.spec, getattr(value, "name", "") or "")
        self.captures.append(value)
        self.resolved[id(outer)] = self.resolved[id(value)] = captured
        return captured

    def restart_order(self, gone: set[Value]) -> None:
        """Forget nodes that were taken out of the graph, and the constants `gone`."""
        self._order = Order()
        for node in self.nodes:
            effects = node_effects(node)
            if effects:
                self._order.add(node, effects)
        self._constants = {k: v for k, v in self._constants.items() if v not in gone}

    def last_assignment(self, variable: Any) -> Node | None:
        """The node that has assigned a variable last, as far as this graph knows."""
        resource = self.resolved.get(id(variable))
        return None if resource is None else self._order.last_write(resource)

    def lies_in(self, owner: Any) -> bool:
        """True if `owner` is a graph around this one that is built, too."""
        builder = self.parent
        while builder is not None:
            if builder is owner:
                return not builder.closed
            builder = builder.parent
        return False

    def is_beside(self, other: GraphBuilder) -> bool:
        """True for two different branches, neither of which lies inside of the other."""
        return not (self is other or self.lies_in(other) or other.lies_in(self))

    def insert_before(
        self, node: Node, op: Op, attrs: Attrs, inputs: tuple[Value, ...] = ()
    ) -> Value:
        """The first result of a node without effects, placed before `node`."""
        specs = infer_specs(op, tuple([v.spec for v in inputs]), attrs)
        new = Node(op, inputs, attrs, specs, (), node.loc, self)
        self.nodes.insert(self.nodes.index(node), new)
        return new.outputs[0]

    def widen(
        self, node: Node, inputs: tuple[Value, ...], attrs: Attrs, specs: Sequence[Spec]
    ) -> None:
        """Give a structured node more inputs and results, while its graph is still built.

        Gradients do this to make a loop or branch hand out what its adjoint needs.
        """
        if node.outputs[0].owner is not self or self.closed:
            raise InternalError(f"{node} is not under construction")
        node.inputs = inputs
        node.attrs = attrs
        node.effects = None
        have = len(node.outputs)
        more = [Value(node, have + i, spec, self) for i, spec in enumerate(specs[have:])]
        node.outputs = (*node.outputs, *more)
        for recorder in _recorders.get():
            recorder.widened(node)

    def finish(self, outputs: Sequence[Any]) -> Graph:
        """The graph with these results."""
        results = tuple([self.resolve(v) for v in outputs])
        self.closed = True
        for value in self.plain_again:
            value.__class__ = Value
        return Graph(self.name, tuple(self.inputs), tuple(self.nodes), results, len(self.captures))


def leaked(value: Value) -> LeakedTensorError:
    """The error for a symbolic tensor that is used after or outside of its trace."""
    owner = value.owner
    made = describe(value.node.loc) if value.node else "the call (an argument)"
    where = f"'{owner.name}'" if isinstance(owner, GraphBuilder) else "a function"
    what = f"the symbolic tensor '{value.name}'" if value.name else "a symbolic tensor"
    held = container_of(value)
    return LeakedTensorError(
        f"{what} ({value.spec}) was made in the trace of {where} by {made}, "
        f"and is used outside of it, at {describe(user_location(3))}. "
        + (f"It is held by {held}. " if held else "")
        + "It stands for a value that exists only while the graph runs: return it from the "
        "function, or keep it in a tl.Variable."
    )


def replay(graph: Graph, values: Sequence[Any]) -> list[Any]:
    """Call the ops of `graph` on `values` with the current interpreter: the graph's results."""
    env: dict[Value, Any] = dict(zip(graph.inputs, values, strict=True))
    builder = _current.get()
    tracing = builder if isinstance(builder, GraphBuilder) else None
    before = tracing.loc if tracing else None
    try:
        for node in graph.nodes:
            if tracing is not None:
                tracing.loc = node.loc
            if node.op.name == "const":
                env[node.outputs[0]] = current().constant(node.attrs["value"])
                continue
            results = apply(node.op, [env[v] for v in node.inputs], node.attrs)
            if node.op.multiple:
                env.update(zip(node.outputs, results, strict=True))
            else:
                env[node.outputs[0]] = results
    finally:
        if tracing is not None:
            tracing.loc = before
    return [env[v] for v in graph.outputs]


__all__ = ["GraphBuilder", "apply", "binary", "convert", "replay"]
