"""Values that are None, or undefined, on some path: a tag that the run knows, and the value.

`x is None`, `x == None` and the truth value of `x` read the tag. Any other use takes the value,
with a check at run time that it is there; none where a branch knows it (facts.py).
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from treadle.graph import Tensor, Value
from treadle.graph.build import GraphBuilder, convert
from treadle.graph.control import UnknownResultError
from treadle.graph.errors import BranchError, OperatorNotAllowedInGraphError
from treadle.graph.location import describe, is_internal, user_location
from treadle.graph.ops.effects import require
from treadle.graph.ops.logic import logical_and, logical_not
from treadle.graph.symbolic_text import is_active
from treadle.graph.weak import is_python, mark

from .. import policy
from .class_names import named
from .facts import assume, known_truth
from .filling import Filling
from .inside import staged_in
from .state import describe_value, is_tensor, leaves_of, parts_of, with_leaves
from .truth import condition, staged
from .undefined import Undefined, Unused, error_of, unused


@dataclass(frozen=True, slots=True)
class Source:
    """Where two paths part: the variable's name ('' for a result), and "the `if` at model.py:3"."""

    name: str
    place: str
    home: frozenset[int] = frozenset()  # the graphs around the branch or loop, by id
    is_loop: bool = False

    @property
    def what(self) -> str:
        return f"'{self.name}'" if self.name else "the value"


class UnknownValueError(UnknownResultError):
    """A value is needed that no path has given so far: another path tells what it is like."""

    def __init__(self) -> None:
        Exception.__init__(self, "a value that no path has given is used")
        self.callee = None  # type: ignore[assignment]


# The text of what may be None, a mark; set by `formatting.py`.
showing: list[Callable[[Any, Callable[[Any], str]], str]] = []


@named
class Optional:
    """`value` where `present` (a bool, or a bool tensor) is true, else None.

    `value` is `unused` as long as it is not known what it is like.
    """

    __slots__ = ("_present", "_source", "_value")
    __tl_name__ = "a value that may be None"
    __tl_other__ = "None"

    def __init__(self, present: Any, value: Any, source: Source) -> None:
        for slot, item in (("_present", present), ("_value", value), ("_source", source)):
            object.__setattr__(self, slot, item)

    @classmethod
    def of(cls, value: Any, other: Any, source: Source) -> Optional:
        """`value`, which may be None, as an Optional."""
        if isinstance(value, cls):
            return value
        return cls(False, unused, source) if value is None else cls(True, value, source)

    def filled(self, like: Any) -> Optional:
        """This one with a stand-in for a value like `like`, if it has none."""
        if like is None or not isinstance(self._value, Unused):
            return self
        pattern = pattern_of(like._value if isinstance(like, type(self)) else like, self._source)
        return type(self)(self._present, pattern, self._source)

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        return [self._present, self._value], lambda i: type(self)(i[0], i[1], self._source)

    def __tl_tensor__(self) -> Tensor:
        return convert(self._taken())

    def __tl_truth__(self) -> Tensor:
        if isinstance(self._value, Unused):
            raise UnknownValueError
        value = self._value
        holds = condition(value) if staged(value) else convert(bool(value))
        return logical_and(convert(self._present), holds)

    def __tl_leave__(self) -> Any:
        """What leaves the function for it; refused if it may be None."""
        if known_truth(self._present) is not None:
            return settled(self)
        shown = describe_value(self._value)
        raise BranchError(
            f"the function returns {shown} or None: which one depends on a tensor, in "
            f"{self._source.place}. None can't leave a tl.function then: return a tensor on each "
            "path, or a truth value beside it that says whether there is one"
        )

    def __tl_argument__(self) -> Any:
        """What a traced function gets for it; refused if it may be None."""
        if known_truth(self._present) is not None:
            return settled(self)
        raise BranchError(
            f"{self._source.what} is an argument at {describe(user_location(2))}, and may be None: "
            f"that depends on a tensor, in {self._source.place}. A tl.function is traced for None "
            "or for a tensor: call it under 'if ... is None' and its else"
        )

    def _taken(self, attribute: str = "") -> Any:
        """The value; a check that it is there unless that is known."""
        known = known_truth(self._present)
        if known is not False and isinstance(self._value, Unused):
            raise UnknownValueError
        if known is not True:
            error = self._missing(attribute)
            if known is False:
                raise self._missing(attribute)
            present = convert(self._present)
            shared = isinstance(self._value, (list, dict))  # no copy: others may know it, too
            tensors = [] if shared else leaves_of(self._value)
            given = require(present, tensors, type(error).__name__, str(error))
            pairs = zip(given, tensors, strict=True)
            checked = [mark(new) if is_python(old) else new for new, old in pairs]
            assume(self._present, True)
            if not shared:
                return with_leaves(self._value, checked)
        held = staged_in(self._value)
        return self._value if held is None else held

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """Its own, but for `isinstance` in the user's code."""
        frame = sys._getframe(1)
        file = frame.f_code.co_filename
        if file.startswith("<frozen") or is_internal(file) or policy.is_library_file(file):
            return type(self)
        known = known_truth(self._present)
        if known is not None:
            return type(settled(self))
        raise BranchError(
            f"the class of {self._source.what} is asked for at {describe(user_location(2))}: "
            f"whether it is None depends on a tensor, in {self._source.place}. Use 'is None'"
        )

    def _missing(self, attribute: str) -> Exception:
        text = (
            f"{self._source.what} is None at {describe(user_location(3))}, where a value is "
            f"needed: it was left without one by {self._source.place}"
        )
        if attribute:
            return AttributeError(f"'NoneType' object has no attribute '{attribute}': {text}")
        return TypeError(text)

    def __str__(self) -> str:
        return showing[0](self, str) if is_active() else repr(self)

    def __format__(self, spec: str) -> str:
        return format(self._taken(), spec) if spec else str(self)

    def __repr__(self) -> str:
        if is_active():
            return showing[0](self, repr)
        return f"<{self._value!r} or {self.__tl_other__}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # probing for a protocol is no use of the value
        ours = is_internal(sys._getframe(1).f_code.co_filename)
        return getattr(self._taken("" if ours else name), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._taken(name), name, value)

    def __eq__(self, other: object) -> Any:
        if other is None:
            return is_(self, None)
        if isinstance(self._value, Unused):
            raise UnknownValueError
        return logical_and(convert(self._present), convert(self._value == other))

    def __ne__(self, other: object) -> Any:
        equal = self == other
        return not equal if isinstance(equal, bool) else logical_not(equal)

    __hash__ = object.__hash__

    def __bool__(self) -> NoReturn:
        raise OperatorNotAllowedInGraphError(
            f"the truth value of {self._source.what} was asked for at "
            f"{describe(user_location(2))}, by code that AutoGraph has not converted; whether it "
            "is None depends on a tensor. Use 'is None', or pass a tensor"
        )


@named
class Maybe(Optional):
    """`value` where `present` is true, else the name is undefined (in relaxed functions)."""

    __slots__ = ()
    __tl_name__ = "a value that may be undefined"
    __tl_other__ = "undefined"

    @classmethod
    def of(cls, value: Any, other: Any, source: Source) -> Optional:
        if isinstance(value, Undefined):
            return cls(False, unused, Source(value.name, source.place))
        return value if isinstance(value, cls) else cls(True, value, source)

    def __tl_truth__(self) -> Tensor:
        value = self._taken()
        return condition(value) if staged(value) else convert(bool(value))

    def _missing(self, attribute: str) -> Exception:
        return UnboundLocalError(
            f"{error_of(Undefined(self._source.name))}: it was left without one by "
            f"{self._source.place}"
        )


def pattern_of(value: Any, source: Source) -> Any:
    """What stands in for a value like `value`; `unused` if it is not known what that is like."""
    if isinstance(value, (Undefined, Unused)):
        return unused
    if value is None or isinstance(value, Filling):
        return value
    if is_python(value):
        return Filling(value.spec, True)
    if is_tensor(value):
        return value if hasattr(type(value), "__tl_tensor__") else Filling(convert(value).spec)
    found = object_pattern[0](value, source)
    if found is not None:
        return found
    parts = parts_of(value)
    return value if parts is None else parts[1]([pattern_of(v, source) for v in parts[0]])


# The same for objects that are carried in parts, and for one of several; None for all else. Set by
# `choice.py`, which needs this module.
object_pattern: list[Callable[[Any, Source], Any]] = [lambda value, source: None]


def settled(value: Any) -> Any:
    """An optional value as what it is known to be here, if that is known."""
    if not isinstance(value, Optional):
        return value
    known = known_truth(value._present)
    if known is None:
        return value
    if known:
        return settled(value._value)
    return Undefined(value._source.name) if isinstance(value, Maybe) else None


def settled_items(value: Any) -> Any:
    """The same, with what is in tuples, and in the tuples of a list."""
    value = settled(value)
    if type(value) in (tuple, list):
        found = [settled_items(v) if type(v) is not list else v for v in value]
        if any(new is not old for new, old in zip(found, value, strict=True)):
            return found if type(value) is list else tuple(found)
    return value


def taken(value: Any) -> Any:
    """A value that is needed: not None."""
    return value._taken() if isinstance(value, Optional) else value


def read(value: Any) -> Any:
    """The value of a name that may have none."""
    if type(value) is Undefined:
        raise error_of(value)
    return value._taken() if type(value) is Maybe else value


def is_(value: Any, other: Any) -> Any:
    """`value is other`, which only the run may tell."""
    if not (isinstance(value, Optional) or isinstance(other, Optional)):
        return _same(value, other)
    if value is not None and other is not None:
        tagged, plain = (value, other) if isinstance(value, Optional) else (other, value)
        same = is_(tagged._value, plain)
        return same if same is False else logical_and(convert(tagged._present), convert(same))
    tagged = value if isinstance(value, Optional) else other
    known = known_truth(tagged._present)
    return logical_not(convert(tagged._present)) if known is None else not known


def _same(value: Any, other: Any) -> Any:
    for one, another in ((value, other), (other, value)):
        compare = getattr(type(one), "__tl_is__", None)
        if compare is not None:
            return compare(one, another)
        truth = isinstance(another, bool) and isinstance(one, Value) and is_python(one)
        if truth and one.dtype.is_bool:  # there is one True, and one False
            return one if another else mark(logical_not(one))
    if value is not other and isinstance(value, Value) and isinstance(other, Value):
        for one in (value, other):
            inside = isinstance(one.owner, GraphBuilder) and not one.owner.is_function
            if one.node.op.structured if one.node is not None else inside:
                raise BranchError(
                    "whether two names stand for the same tensor is asked for at "
                    f"{describe(user_location(2))}: one of them came out of a branch or loop over "
                    "tensors. Compare their values by =="
                )
    return value is other


def _unary(operation: Callable[[Any], Any]) -> Callable[[Optional], Any]:
    return lambda self: operation(self._taken())


def _binary(operation: Callable[[Any, Any], Any]) -> Callable[[Optional, Any], Any]:
    return lambda self, other: operation(self._taken(), other)


def _reflected(operation: Callable[[Any, Any], Any]) -> Callable[[Optional, Any], Any]:
    return lambda self, other: operation(other, self._taken())


_ARITHMETIC = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"),
    *("and_", "or_", "xor", "lshift", "rshift"),
)
for _name in (*_ARITHMETIC, "lt", "le", "gt", "ge", "getitem", "contains", "delitem"):
    setattr(Optional, f"__{_name.rstrip('_')}__", _binary(getattr(operator, _name)))
for _name in _ARITHMETIC:
    setattr(Optional, f"__r{_name.rstrip('_')}__", _reflected(getattr(operator, _name)))
for _name, _function in (
    *(("neg", operator.neg), ("pos", operator.pos), ("invert", operator.invert), ("abs", abs)),
    *(("len", len), ("iter", iter), ("int", int), ("float", float), ("index", operator.index)),
):
    setattr(Optional, f"__{_name}__", _unary(_function))


def _set_item(self: Optional, key: Any, value: Any) -> None:
    self._taken()[key] = value


def _call(self: Optional, *args: Any, **kwargs: Any) -> Any:
    return self._taken()(*args, **kwargs)


setattr(Optional, "__setitem__", _set_item)  # noqa: B010
setattr(Optional, "__call__", _call)  # noqa: B010
