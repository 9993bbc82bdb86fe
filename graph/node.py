"""The IR: `Graph`, `Node`, `Value`, and `Tensor`, the base class of all that ops take and give."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .dtypes import DType
from .errors import OperatorNotAllowedInGraphError
from .location import Loc, describe, expression_at, user_location
from .op import Attrs, Op
from .spec import Spec, TensorShape
from .symbolic_text import mark


class Tensor:
    """A multi-dimensional array of one dtype, immutable: eager (with a value) or symbolic.

    Operators are those of NumPy; `graph/operators.py` sets them. A Python number beside a tensor
    takes the tensor's dtype; tensors of two dtypes are never mixed silently.

    >>> import treadle as tl
    >>> x = tl.constant([[1., 2.], [3., 4.]])
    >>> (x @ x)[0] + 1
    <tl.Tensor: shape=(2,), dtype=float32, numpy=array([ 8., 11.], dtype=float32)>
    """

    __slots__ = ("__weakref__", "_place")  # _place: of a slice, the variable and the key
    __array_priority__ = 100

    # set by each subclass
    dtype: DType
    spec: Any
    _place: Any

    @property
    def shape(self) -> TensorShape:
        shape: TensorShape = self.spec.shape
        return shape

    @property
    def ndim(self) -> int | None:
        return self.shape.rank

    def get_shape(self) -> TensorShape:
        return self.shape

    @property
    def assign(self) -> Any:
        """Of a slice of a variable: `v[1:3].assign(x)` sets these items, and gives the variable
        (inside a function its new value). Other tensors don't change, and have no `assign`.
        """
        place = getattr(self, "_place", None)
        if place is None:
            raise AttributeError(
                "a tensor can't be assigned: it never changes. Assign a tl.Variable, or a slice of "
                "one: v[1:3].assign(...)"
            )
        variable, key = place
        return variable.assigner(key)

    def ref(self) -> Any:
        """A hashable reference to this very tensor (`ref.deref()` gives it back)."""
        return Reference(self)

    __hash__ = object.__hash__

    if TYPE_CHECKING:

        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __rfloordiv__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __rmod__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __xor__(self, other: Any) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __getitem__(self, key: Any) -> Tensor: ...
        def __iter__(self) -> Iterator[Tensor]: ...
        def __len__(self) -> int: ...
        def __bool__(self) -> bool: ...
        def __int__(self) -> int: ...
        def __float__(self) -> float: ...
        def __index__(self) -> int: ...
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any: ...
        def numpy(self) -> Any: ...
        def set_shape(self, shape: Any) -> None: ...


class Reference:
    """A tensor or variable as a dictionary key, compared by identity."""

    __slots__ = ("_object",)

    def __init__(self, target: Any) -> None:
        self._object = target

    def deref(self) -> Any:
        return self._object

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and self._object is other._object

    def __hash__(self) -> int:
        return id(self._object)

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._object!r}>"


# What a node or graph does besides its results: pairs of effect and index of the input that it is
# an effect on (None for io and checks).
Effects = tuple[tuple[str, int | None], ...]


class Node:
    """One op in a graph. Passes never change a node, they build others."""

    __slots__ = ("after", "attrs", "effects", "inputs", "loc", "op", "outputs")

    def __init__(
        self,
        op: Op,
        inputs: tuple[Value, ...],
        attrs: Attrs,
        specs: tuple[Spec, ...],
        after: tuple[Node, ...] = (),
        loc: Loc | None = None,
        owner: Any = None,
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.attrs = attrs
        self.after = after
        self.loc = loc
        self.effects: Effects | None = None  # kept by graph/effects.py once asked for
        self.outputs = tuple([Value(self, i, spec, owner) for i, spec in enumerate(specs)])

    @property
    def specs(self) -> tuple[Spec, ...]:
        return tuple([v.spec for v in self.outputs])

    def __repr__(self) -> str:
        return f"<Node {self.op.name} at {describe(self.loc)}>"


class Value(Tensor):
    """A result of a node, or an input of a graph (then `node` is None): a symbolic tensor."""

    __slots__ = ("dtype", "index", "name", "node", "owner", "spec")
    node: Node | None

    def __init__(
        self, node: Node | None, index: int, spec: Spec, owner: Any = None, name: str = ""
    ) -> None:
        self.node = node
        self.index = index
        self.spec = spec
        self.dtype = spec.dtype
        self.owner = owner  # the builder that it belongs to while that is at work
        self.name = name

    @property
    def graph(self) -> Any:
        return self.owner

    @property
    def op(self) -> Node | None:
        return self.node

    def __repr__(self) -> str:
        return mark(self, repr) or (
            f"<tl.Tensor '{self._label()}' shape={self.shape} dtype={self.dtype.name}>"
        )

    def __str__(self) -> str:
        return mark(self, str) or self._text()

    def __format__(self, spec: str) -> str:
        return mark(self, str, spec) or format(self._text(), spec)

    def _label(self) -> str:
        """The name of the op, and which of its results this is."""
        if self.node is None:
            return f"{self.name or 'input'}:0"
        return f"{self.name or self.node.op.name}:{self.index}"

    def _text(self) -> str:
        shape = self.shape
        shown = "" if shape.rank is None else f" shape={shape},"
        return f'Tensor("{self._label()}",{shown} dtype={self.dtype.name})'

    def _no_value(self, what: str, hint: str = "") -> OperatorNotAllowedInGraphError:
        loc = user_location(2)
        made = f"made at {describe(self.node.loc)}" if self.node else "an argument"
        expression = expression_at(loc)
        text = ast.unparse(expression) if expression is not None else ""
        name = f" '{text}'" if 0 < len(text) <= 40 else ""
        return OperatorNotAllowedInGraphError(
            f"{what} of the symbolic tensor{name} ({self.spec}, {made}) was asked for at "
            f"{describe(loc)}, while the function is traced: it has no value yet. "
            f"{hint or self._hint()}"
        )

    def _hint(self) -> str:
        reason = _unconverted_reason(user_location(3))
        if reason:
            return f"This code was not converted by AutoGraph ({reason}). Use tl.cond or tl.where."
        return "Use tl.cond, tl.where or tl.while_loop, or let AutoGraph convert the code."

    def __bool__(self) -> bool:
        raise self._no_value("The truth value")

    def __int__(self) -> int:
        raise self._no_value("int()")

    def __float__(self) -> float:
        raise self._no_value("float()")

    def __index__(self) -> int:
        raise self._no_value("The value as an index")

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        hint = "NumPy needs it now: use the functions of tl, which take symbolic tensors."
        raise NotImplementedError(self._no_value("The NumPy array", hint).args[0])

    def __len__(self) -> int:
        size = self.shape[0] if self.shape.rank else None
        if size is None:
            raise self._no_value("len()")
        return int(size)

    def __iter__(self) -> Iterator[Tensor]:
        size = self.shape[0] if self.shape.rank else None
        if size is None:
            raise self._no_value("iteration over the rows")
        return (self[i] for i in range(size))

    def __deepcopy__(self, memo: Any) -> Value:
        return self

    def __reduce__(self) -> Any:
        raise TypeError(
            f"a symbolic tensor ({self.spec}) has no value that could be pickled or copied to "
            "another process: return it from the function, and pickle the result"
        )


Value.__name__ = "symbolic tensor"  # as messages of Python's have it


# Set by autograph: why the code at a place was not converted.
_reasons: list[Any] = []


def _unconverted_reason(loc: Loc | None) -> str | None:
    for reason in _reasons:
        found: str | None = reason(loc) if loc else None
        if found:
            return found
    return None


class Graph:
    """A dataflow graph: nodes in an order in which they can run.

    `inputs` are first the arguments, then `captured` values from outside. Printing gives the text
    form, which `tl.graph.parse` reads back.
    """

    __slots__ = (
        *("__weakref__", "captured", "effects", "executable"),
        *("inputs", "name", "nodes", "outputs"),
    )

    def __init__(
        self,
        name: str,
        inputs: tuple[Value, ...],
        nodes: tuple[Node, ...],
        outputs: tuple[Value, ...],
        captured: int = 0,
    ) -> None:
        self.name = name
        self.inputs = inputs
        self.nodes = nodes
        self.outputs = outputs
        self.captured = captured
        self.effects: Effects | None = None  # filled by graph/effects.py when first asked for
        self.executable: Any = None  # filled by the runtime when first run

    @property
    def in_specs(self) -> tuple[Spec, ...]:
        return tuple([v.spec for v in self.inputs])

    @property
    def out_specs(self) -> tuple[Spec, ...]:
        return tuple([v.spec for v in self.outputs])

    if TYPE_CHECKING:  # set by graph/__init__.py: the IR knows nothing of its views

        def as_graph_def(self) -> Any: ...
        def summary(self) -> str: ...
        def to_networkx(self) -> Any: ...

    def __repr__(self) -> str:
        return (
            f"<Graph {self.name}: {len(self.inputs)} inputs, {len(self.nodes)} nodes, "
            f"{len(self.outputs)} outputs>"
        )


APART = "apart"  # marks, in `FunctionRef.extra`, a function that is not to be inlined


class FunctionRef:
    """The name of a graph in a program; `graph` is None while its function is still traced.

    Calls go through it, so a recursive function's graph can call itself.
    """

    __slots__ = ("__weakref__", "effects", "extra", "graph", "name", "specs")

    def __init__(self, name: str, graph: Graph | None = None) -> None:
        self.name = name
        self.graph = graph
        # What is known of a graph that is not finished yet:
        self.specs: tuple[Spec, ...] | None = graph.out_specs if graph else None
        self.effects: Effects = ()
        self.extra: dict[Any, Any] = {}  # derived functions (adjoints), by what they are for

    def __repr__(self) -> str:
        return f"<function {self.name}>"


def subgraphs(node: Node) -> list[Graph]:
    """The graphs that a structured node holds (not those that it calls)."""
    found = []
    for value in node.attrs.values():
        if isinstance(value, Graph):
            found.append(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], Graph):
            found.extend(value)
    return found
