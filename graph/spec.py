"""What is known of a value before it exists: shape and dtype.

`TensorSpec` describes tensors, `ResourceSpec` variables, `ArraySpec` growable arrays of tensors
(loop state), `DataSpec` datasets and iterators over them. All are immutable and compare by value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

from .dtypes import DType, as_dtype, float32, variant
from .errors import ShapeError

Dim = int | None


class TensorShape(tuple[Dim, ...]):
    """A shape: a tuple of sizes, `None` where a size is unknown; `TensorShape(None)` has no rank.

    >>> import treadle as tl
    >>> s = tl.TensorShape([2, None])
    >>> s, s.rank, s.as_list(), s == (2, None), tl.TensorShape(None)
    (TensorShape([2, None]), 2, [2, None], True, TensorShape(None))
    """

    def __new__(cls, dims: Iterable[Any] | int | None = ()) -> TensorShape:
        if isinstance(dims, TensorShape):
            return dims
        if dims is None:
            return UNKNOWN
        if isinstance(dims, int):
            dims = (dims,)
        return tuple.__new__(cls, [None if d is None else _size(d) for d in dims])

    @property
    def rank(self) -> int | None:
        return len(self)

    @property
    def ndims(self) -> int | None:
        return self.rank

    @property
    def dims(self) -> list[Dim] | None:
        return None if self.rank is None else list(self)

    def as_list(self) -> list[Dim]:
        """The sizes as a list; ValueError where the rank is unknown."""
        if self.rank is None:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        return list(self)

    def is_fully_defined(self) -> bool:
        return self.rank is not None and None not in tuple(self)

    def num_elements(self) -> int | None:
        if not self.is_fully_defined():
            return None
        count = 1
        for d in self:
            assert d is not None
            count *= d
        return count

    def is_compatible_with(self, other: Any) -> bool:
        """True if some array has both shapes."""
        other = TensorShape(other)
        if self.rank is None or other.rank is None:
            return True
        return self.rank == other.rank and all(
            a is None or b is None or a == b for a, b in zip(self, other, strict=True)
        )

    def merge_with(self, other: Any) -> TensorShape:
        """The shape that knows what either knows; ValueError if they contradict."""
        shape: TensorShape = TensorShape(other)
        if not self.is_compatible_with(shape):
            raise ValueError(f"Shapes {self} and {shape} are not compatible")
        if self.rank is None:
            return shape
        if shape.rank is None:
            return self
        pairs = zip(self, shape, strict=True)
        return TensorShape([b if a is None else a for a, b in pairs])

    def concatenate(self, other: Any) -> TensorShape:
        other = TensorShape(other)
        if self.rank is None or other.rank is None:
            return UNKNOWN
        return TensorShape((*self, *other))

    def with_rank(self, rank: int) -> TensorShape:
        return self.merge_with([None] * rank)

    def assert_is_compatible_with(self, other: Any) -> None:
        self.merge_with(other)

    def __getitem__(self, key: Any) -> Any:
        item = tuple.__getitem__(self, key)
        return TensorShape(item) if isinstance(key, slice) else item

    def __add__(self, other: Any) -> TensorShape:
        return self.concatenate(other)

    def __radd__(self, other: Any) -> TensorShape:
        return TensorShape(other).concatenate(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (tuple, list)):
            return other is None and self.rank is None
        if isinstance(other, TensorShape) and other.rank is None:
            return False
        return tuple.__eq__(self, tuple(other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return tuple.__hash__(self)

    def __repr__(self) -> str:
        return f"TensorShape({self.as_list()})"

    def __str__(self) -> str:
        return tuple.__repr__(self)

    def __reduce__(self) -> Any:
        return TensorShape, (list(self),)


class _UnknownRank(TensorShape):
    """The shape of which not even the rank is known."""

    def __new__(cls) -> _UnknownRank:
        return tuple.__new__(cls, ())

    @property
    def rank(self) -> None:
        return None

    def __len__(self) -> int:
        raise ValueError("Cannot take the length of a shape with unknown rank.")

    def __iter__(self) -> Iterator[Dim]:
        raise ValueError("Cannot iterate over a shape with unknown rank.")

    def __getitem__(self, key: Any) -> Any:
        return UNKNOWN if isinstance(key, slice) else None

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return other is None or (isinstance(other, TensorShape) and other.rank is None)

    def __hash__(self) -> int:
        return hash(_UnknownRank)

    def __repr__(self) -> str:
        return "TensorShape(None)"

    def __str__(self) -> str:
        return "<unknown>"

    def __reduce__(self) -> Any:
        return TensorShape, (None,)


UNKNOWN: TensorShape = _UnknownRank()


def _size(d: Any) -> int:
    size = int(d.__index__()) if hasattr(d, "__index__") else int(d)
    if size < 0:
        raise ValueError(f"Dimension {size} must be >= 0")
    return size


class TensorSpec:
    """Shape and dtype of a tensor, for `input_signature` and `get_concrete_function`.

    >>> import treadle as tl
    >>> tl.TensorSpec([None, 2], tl.int32, name="x")
    TensorSpec(shape=(None, 2), dtype=tl.int32, name='x')
    """

    __slots__ = ("_hash", "dtype", "name", "shape")

    def __init__(self, shape: Any = (), dtype: Any = float32, name: str | None = None) -> None:
        self.shape = TensorShape(shape)
        self.dtype: DType = as_dtype(dtype)
        self.name = name
        self._hash = 0

    @property
    def rank(self) -> int | None:
        return self.shape.rank

    @classmethod
    def from_tensor(cls, tensor: Any, name: str | None = None) -> TensorSpec:
        return cls(tensor.shape, tensor.dtype, name)

    def is_compatible_with(self, other: Any) -> bool:
        """True if a value of the spec (or of the tensor) `other` may be given for this one."""
        return self.dtype is other.dtype and self.shape.is_compatible_with(other.shape)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return (
            isinstance(other, TensorSpec)
            and self.dtype is other.dtype
            and self.shape == other.shape
            and self.name == other.name
        )

    def __hash__(self) -> int:
        if not self._hash:
            self._hash = hash((self.dtype.name, self.shape, self.name))
        return self._hash

    def __repr__(self) -> str:
        shape = self.shape
        return f"TensorSpec(shape={shape}, dtype=tl.{self.dtype.name}, name={self.name!r})"

    def __format__(self, format_spec: str) -> str:
        """The short form, f32[2,?], which messages and texts of graphs have."""
        if self.shape.rank is None:
            return f"{self.dtype.code}[...]"
        return f"{self.dtype.code}[{','.join('?' if d is None else str(d) for d in self.shape)}]"

    def __reduce__(self) -> Any:
        return TensorSpec, (self.shape, self.dtype, self.name)


class ResourceSpec:
    """A variable: mutable state that holds a tensor of spec `value`."""

    __slots__ = ("value",)

    def __init__(self, value: TensorSpec) -> None:
        self.value = value

    @property
    def dtype(self) -> DType:
        return self.value.dtype

    @property
    def shape(self) -> TensorShape:
        return self.value.shape

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ResourceSpec) and self.value == other.value

    def __hash__(self) -> int:
        return hash(("resource", self.value))

    def __repr__(self) -> str:
        return f"ResourceSpec({self.value!r})"

    def __str__(self) -> str:
        return f"var<{self.value}>"


class ArraySpec:
    """A growable array whose items are of spec `element`: tensors, or arrays in turn."""

    __slots__ = ("element",)

    def __init__(self, element: Element) -> None:
        self.element = element

    @property
    def dtype(self) -> DType:
        return self.element.dtype

    @property
    def shape(self) -> TensorShape:
        return UNKNOWN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArraySpec) and self.element == other.element

    def __hash__(self) -> int:
        return hash(("array", self.element))

    def __repr__(self) -> str:
        return f"ArraySpec({self.element!r})"

    def __str__(self) -> str:
        return f"array<{self.element}>"


class DataSpec:
    """A dataset (`kind` "dataset"), an iterator over one ("iterator") or a queue ("queue"). `items`
    are the specs of what an element consists of.
    """

    __slots__ = ("items", "kind")
    dtype = variant
    shape = UNKNOWN

    def __init__(self, kind: str, items: Iterable[Spec]) -> None:
        self.kind = kind
        self.items: tuple[Spec, ...] = tuple(items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DataSpec) and self.kind == other.kind and self.items == other.items

    def __hash__(self) -> int:
        return hash((self.kind, self.items))

    def __repr__(self) -> str:
        return f"DataSpec({self.kind!r}, {self.items!r})"

    def __str__(self) -> str:
        return f"{self.kind}<{', '.join([f'{item}' for item in self.items])}>"


Spec = TensorSpec | ResourceSpec | ArraySpec | DataSpec
Element = TensorSpec | ArraySpec  # what an array may hold


def broadcast_dims(a: Dim, b: Dim) -> Dim:
    """The size of an axis after broadcasting; ValueError if there is none."""
    if a == b or b == 1:
        return a
    if a == 1:
        return b
    if a is None or b is None:
        return b if a is None else a
    raise ValueError


def broadcast_shapes(*shapes: TensorShape) -> TensorShape:
    """The shape that NumPy's rules broadcast `shapes` to; ShapeError if there is none."""
    first = shapes[0]
    if len(shapes) == 2:
        second = shapes[1]
        if first is second or (type(second) is TensorShape and not second):
            return first
        if type(first) is TensorShape and not first:
            return second
        if type(first) is type(second) is TensorShape and tuple.__eq__(first, second):
            return first
    if all(s is first or s == first for s in shapes):
        return first
    if any(s.rank is None for s in shapes):
        return UNKNOWN
    out: list[Dim] = []
    for s in shapes:
        dims = list(s)
        width = max(len(out), len(dims))
        ones: list[Dim] = [1]
        out = ones * (width - len(out)) + out
        dims = ones * (width - len(dims)) + dims
        try:
            out = [broadcast_dims(a, b) for a, b in zip(out, dims, strict=True)]
        except ValueError:
            raise ShapeError(f"shapes {' and '.join(map(str, shapes))} do not broadcast") from None
    return TensorShape(out)


def may_fail_to_broadcast(*shapes: TensorShape) -> bool:
    """True if arrays of these shapes might not broadcast when the program runs."""
    for s in shapes:
        if type(s) is not TensorShape or None in s:
            break
    else:
        return False
    if any(s.rank is None for s in shapes):
        return sum(s.rank != 0 for s in shapes) > 1
    for sizes in zip_longest(*[reversed(tuple(s)) for s in shapes], fillvalue=1):
        if None in sizes and len(sizes) - sizes.count(1) > 1:
            return True
    return False


def join_shapes(a: TensorShape, b: TensorShape) -> TensorShape:
    """The most precise shape that covers both."""
    if a == b:
        return a
    if a.rank is None or a.rank != b.rank:
        return UNKNOWN
    return TensorShape(x if x == y else None for x, y in zip(a, b, strict=True))


def covers(general: TensorShape, special: TensorShape) -> bool:
    """True if each array that fits `special` fits `general`."""
    if general.rank is None:
        return True
    if special.rank != general.rank:
        return False
    return all(g is None or g == s for g, s in zip(general, special, strict=True))
