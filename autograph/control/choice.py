"""One of several Python objects, chosen by a tensor: functions, texts, members of an enum, objects.

Whatever is done with it is done with each option, on a path of its own (`choosing.py`), and texts
stay texts of Python.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from enum import Enum
from typing import Any, NoReturn

from treadle.graph import Tensor, Value, weak
from treadle.graph.build import GraphBuilder, convert, current
from treadle.graph.control import emit_switch, new_branch
from treadle.graph.dtypes import int32, string
from treadle.graph.errors import BranchError
from treadle.graph.location import describe, is_internal, user_location
from treadle.graph.ops.gathering import gather_known
from treadle.graph.ops.raising import Recipe, without_slot
from treadle.graph.spec import TensorSpec
from treadle.graph.symbolic_text import is_active
from treadle.graph.trying import is_left

from .. import policy
from ..changes import journal
from ..changes.births import young
from ..changes.lifetime import is_held
from ..changes.rebuilt import (
    Rebuilt,
    Shape,
    holds_foreign,
    home_of,
    is_made_inside,
    is_plain_object,
)
from ..changes.sharing import is_shared
from ..values.class_names import named
from ..values.facts import known_truth
from ..values.filling import Filling
from ..values.optional import Optional, Source, object_pattern, pattern_of
from ..values.snapshots import noting
from ..values.state import (
    common_dtype,
    describe_value,
    is_number,
    is_number_member,
    is_record,
    is_tensor,
    is_variable,
    same_object,
)
from ..values.tables import Table, like
from ..values.truth import condition, staged
from ..values.undefined import unused
from .operations import Operations
from .options import (
    VALUES,
    Left,
    Place,
    can_be_chosen,
    is_changing,
    is_function,
    is_same,
    is_tensor_outside,
    made_in_loop,
    may_be_together,
    order_of,
    told_apart,
)

_NAMES = ("__name__", "__qualname__", "__module__", "__doc__")  # of classes and functions


@named
class Choice:
    """`options[index]`; `index` is an int, or an int32 tensor.

    On the way through a branch or loop an option may be a `Shape`: what it holds is in `made`.
    """

    __slots__ = ("tl_index", "tl_made", "tl_options", "tl_source")
    __tl_chosen__ = True
    __tl_name__ = "one of several objects"

    def __init__(
        self,
        index: Any,
        options: Sequence[Any],
        source: Source,
        made: dict[Any, Rebuilt] | None = None,
    ) -> None:
        slots = ("tl_index", index), ("tl_options", tuple(options)), ("tl_source", source)
        for slot, item in (*slots, ("tl_made", made or {})):
            object.__setattr__(self, slot, item)

    @classmethod
    def of(cls, value: Any, other: Any, source: Source) -> Choice | Rebuilt:
        """`value` as one of its own options and those of `other`, in an order of their own."""
        own = [_outside(o, source) for o in _options(value)]
        options: list[Any] = []
        for o in (*own, *[_outside(o, source) for o in _options(other)]):
            if source.is_loop and is_changing(o) and journal.of_trace().made_among([o]):
                raise made_in_loop(o, source)
            if not any(is_same(o, known) for known in options):
                options.append(o)
        options.sort(key=order_of)
        made = {o: _rebuilt(value, own, o, source) for o in own if isinstance(o, Shape)}
        if len(options) == 1 and isinstance(options[0], Shape):
            return made[options[0]]
        table = [next(i for i, o in enumerate(options) if is_same(o, p)) for p in own]
        index: Any = table[0]
        if type(value) is cls:
            number = value.tl_index
            if isinstance(number, int):
                index = table[number]
            else:
                index = gather_known(convert(table, int32), number)
        return cls(index, options, source, made)

    @staticmethod
    def applies(a: Any, b: Any) -> bool:
        """True for different objects that can be told apart by an index."""
        if not (can_be_chosen(a) and can_be_chosen(b)) or same_object(a, b):
            return False
        if not may_be_together([*_options(a), *_options(b)]):
            return False
        if not (isinstance(a, (Choice, Rebuilt)) and type(a) is type(b)):
            return True
        return bool(a.__tl_structure__ != b.__tl_structure__)

    @property
    def __tl_structure__(self) -> Any:
        return tuple([told_apart(o) for o in self.tl_options])

    def __tl_flatten__(self) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
        parts: list[Any] = [self.tl_index]
        for o in self.tl_options:
            if isinstance(o, Shape):
                made = self.tl_made.get(o)
                parts += [unused] * len(o.names) if made is None else made.values
        return parts, self.tl_from_parts

    def tl_from_parts(self, items: Sequence[Any]) -> Any:
        index, rest = items[0], iter(items[1:])
        options = [
            o.make([next(rest) for _ in o.names]) if isinstance(o, Shape) else o
            for o in self.tl_options
        ]
        if isinstance(index, int):
            return options[index]
        if hasattr(index, "_value"):  # the run is over
            return options[int(index)]
        return Choice(index, options, self.tl_source)

    def tl_filled(self, like: Any) -> Choice:
        """This one with stand-ins for what objects like those in `like` hold."""
        made = dict(self.tl_made)
        for o in [] if like is None else _options(like):
            shape = _outside(o, self.tl_source)
            if isinstance(shape, Shape) and shape not in made:
                made[shape] = _pattern_of_made(o, self.tl_source)
        return Choice(self.tl_index, self.tl_options, self.tl_source, made)

    def __tl_lifted__(self, home: frozenset[int]) -> Choice | Rebuilt:
        """For outside: what its options hold in parts."""
        return Choice.of(self, self, replace(self.tl_source, home=home, is_loop=False))

    @property
    def tl_is_text(self) -> bool:
        return type(self.tl_options[0]) is str

    def __tl_tensor__(self) -> Tensor:
        if is_variable(self.tl_options[0]):
            read: Tensor = Operations.select(self, convert)
            return read
        if all(map(is_number_member, self.tl_options)):
            return convert(self.tl_number())
        if type(self.tl_options[0]) not in (str, bytes):
            raise self.tl_refusal("is used where a tensor is needed")
        texts = convert(list(self.tl_options), string)
        found: Tensor = gather_known(texts, self.tl_index)
        return weak.mark(found) if self.tl_is_text else found

    def __tl_truth__(self) -> Tensor:
        if any(staged(o) for o in self.tl_options):  # by its own `__bool__` or `__len__`
            held: Tensor = Operations.select(self, lambda o: convert(_truth(o)))
            return held
        truth = self.tl_pick([bool(o) for o in self.tl_options])
        return truth if isinstance(truth, Tensor) else convert(truth)

    def __tl_leave__(self) -> Any:
        if isinstance(self.tl_index, int):
            return self.tl_options[self.tl_index]
        if is_tensor_outside(self.tl_options[0]):
            return self.__tl_tensor__()
        if all(map(Left.holds, self.tl_options)):
            return Left(self.tl_index, [copy(o) for o in self.tl_options])
        if all(isinstance(o, set) for o in self.tl_options) and like(*self.tl_options) is not None:
            return Operations.select(self, Table.of)
        shapes = [Shape.of(o) if is_record(o) else None for o in self.tl_options]
        if shapes[0] is not None and len({s and (s.cls, s.names) for s in shapes}) == 1:
            # What it is from then on does not matter: results are new.
            return shapes[0].make([getattr(self, name) for name in shapes[0].names])
        raise self.tl_refusal("leaves the function, which can give tensors only")

    def __tl_argument__(self) -> Any:
        return self.__tl_tensor__() if is_tensor_outside(self.tl_options[0]) else self

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__") and name not in _NAMES:
            raise AttributeError(name)
        has = [_has(o, name) for o in self.tl_options]
        if not any(has):
            return getattr(self.tl_options[0], name)
        if all(has) and not any(_runs_code(o, name) for o in self.tl_options):
            return self.tl_pick([getattr(o, name) for o in self.tl_options])
        return Operations.select(self, lambda o: _read(o, name))

    def __setattr__(self, name: str, value: Any) -> None:
        Operations.select(self, lambda o: Operations.assign(o, name, value))

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        """Its own, but for `isinstance` in the user's code."""
        file = sys._getframe(1).f_code.co_filename
        kinds = set(map(type, self.tl_options))
        ours = file.startswith("<frozen") or is_internal(file) or policy.is_library_file(file)
        if ours or is_function(self.tl_options[0]):
            return Choice
        if len(kinds) == 1:
            return kinds.pop()
        raise self.tl_refusal("has its class asked for by code that AutoGraph has not converted")

    def __eq__(self, other: object) -> Any:
        return operate(operator.eq, self, other)

    def __ne__(self, other: object) -> Any:
        return operate(operator.ne, self, other)

    def __tl_is__(self, other: Any) -> Any:
        """`self is other`."""
        return operate(operator.is_, self, other, plain=True)

    def __hash__(self) -> int:
        raise self.tl_refusal("is a key of a dict or an item of a set")

    def __bool__(self) -> bool:
        truths = {bool(o) for o in self.tl_options}
        if len(truths) == 1:
            return truths.pop()
        raise self.tl_refusal("has its truth value asked for")

    def __len__(self) -> int:
        sizes = {len(o) for o in self.tl_options}
        if len(sizes) == 1:
            return sizes.pop()
        raise self.tl_refusal("has its length asked for by code that AutoGraph has not converted")

    def __iter__(self) -> Iterator[Any]:
        items = [list(o) for o in self.tl_options]
        if len({len(i) for i in items}) > 1:
            raise self.tl_refusal("is gone over, and its options have different lengths")
        return iter([self.tl_pick(list(row)) for row in zip(*items, strict=True)])

    def __getitem__(self, key: Any) -> Any:
        return operate(Operations.item, self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        Operations.select(self, lambda o: Operations.set_item(o, key, value))

    def __delitem__(self, key: Any) -> None:
        Operations.select(self, lambda o: Operations.del_item(o, key))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return Operations.select(self, lambda o: Operations.call(o)(*args, **kwargs))

    def __str__(self) -> str:
        return Operations.show(self, str) if is_active() else repr(self)

    def __format__(self, spec: str) -> str:
        return Operations.show(self, lambda o: format(o, spec)) if is_active() else repr(self)

    def tl_again(self, parts: Sequence[Any]) -> Choice:
        """One of other options: `parts` is the index, then these."""
        return Choice(parts[0], parts[1:], self.tl_source)

    @property
    def tl_is_plain(self) -> bool:
        """True if what is done with an option depends on nothing else and changes nothing."""
        return all(type(o) in VALUES or isinstance(o, (Enum, type)) for o in self.tl_options)

    def tl_number(self) -> Any:
        """The number or text that one of several such members of enums is."""
        return self.tl_pick([o._value_ for o in self.tl_options])

    def tl_pick(self, values: Sequence[Any]) -> Any:
        """The one of `values` that belongs to the option that it is."""
        return picked(self.tl_index, values, self.tl_source)

    def tl_refusal(self, use: str) -> BranchError:
        shown = " or ".join(dict.fromkeys(describe_value(o) for o in self.tl_options))
        return BranchError(
            f"{self.tl_source.what}, which is one of several objects ({shown}), {use}, at "
            f"{describe(user_location(3))}; which one it is depends on a tensor, in "
            f"{self.tl_source.place}. Do this in both branches there"
        )

    def __repr__(self) -> str:
        if is_active():
            return Operations.show(self, repr)
        return f"<one of {self.tl_options!r}>"


def picked(index: Any, values: Sequence[Any], source: Source) -> Any:
    """`values[index]`, for whatever values."""
    if isinstance(index, int):
        return values[index]
    left = possible(index, len(values))
    if left and all(same_object(values[left[0]], values[i]) for i in left):
        return values[left[0]]
    if all(type(v) in VALUES for v in values) and may_be_together(values):
        return Choice(index, values, source)
    there = [v for v in values if v is not None]
    if len(there) < len(values) and not any(isinstance(v, Optional) for v in there):
        present = picked(index, [v is not None for v in values], source)
        some = [there[0] if v is None else v for v in values]
        return Optional(present, picked(index, some, source), source)
    numbers = all(is_number(v) and not isinstance(v, (str, bytes)) for v in values)
    if numbers and all(common_dtype(values[0], v) is not None for v in values):
        known = _test_of(index, tuple(values))
        if known is not None:
            return known
        dtype = max([weak.joined(values[0], v) for v in values], key=lambda d: d.size)
        found = weak.mark(gather_known(convert(list(values), dtype), index))
        if all(isinstance(v, bool) for v in values):
            _tests_of(index)[id(found)] = found, tuple(values)
        return found
    alike = all(is_tensor(v) and not weak.is_weak(v) and not is_variable(v) for v in values)
    if alike and len({convert(v).dtype for v in values}) == 1:
        branches = [new_branch(name="option") for _ in values]
        outputs = []
        for branch, value in zip(branches, values, strict=True):
            with branch:
                outputs.append([convert(value)])
        return emit_switch(convert(index, int32), branches, outputs)[0]
    if all(map(can_be_chosen, values)) and not any(type(v) in (Choice, *VALUES) for v in values):
        return Choice(index, values, source)
    places = Choice(index, [Place(i) for i in range(len(values))], source)
    return Operations.select(places, lambda place: values[place.number])


def is_text(value: Any) -> bool:
    """True for a text of Python, and for one of several."""
    return type(value) is str or (type(value) is Choice and value.tl_is_text)


def choice_as_tensor(value: Any) -> Any:
    """One of several texts or variables as a tensor; all else as it is."""
    if type(value) is not Choice or not (value.tl_is_text or is_variable(value.tl_options[0])):
        return value
    found = value.__tl_tensor__()
    return found if value.tl_is_text else noting(value.tl_options, "")([found])


def _tests_of(index: Any) -> dict[int, tuple[Any, tuple[bool, ...]]]:
    """Truth values that only depend on an index, with what they are for each value of it."""
    key = "tests of a choice", id(index)
    found: dict[int, Any] = index.owner.derived.setdefault(key, {})
    return found


def _test_of(index: Any, truths: tuple[Any, ...]) -> Value | None:
    """The truth value of `_tests_of` that is known to be like this, if it can be had here."""
    home = home_of()
    for test, known in _tests_of(index).values():
        here = id(test.owner) in home and not is_left(test)
        if here and known == truths and all(isinstance(t, bool) for t in truths):
            found: Value = test
            return found
    return None


def possible(index: Any, count: int) -> list[int]:
    """The values that an index may have, by what is known in this branch."""
    left = list(range(count))
    if isinstance(index, Value):
        for test, truths in _tests_of(index).values():
            known = known_truth(test)
            if known is not None and len(truths) == count:
                left = [i for i in left if truths[i] is known]
    return left


def operate(function: Callable[..., Any], *args: Any, plain: bool = False) -> Any:
    """`function(*args)` for each option of each argument that is a choice.

    `plain`: what it gives depends on nothing else, and it changes nothing.
    """
    first = next((a for a in args if type(a) is Choice), None)
    if first is None:
        return function(*args)
    index, count = first.tl_index, len(first.tl_options)

    def at(number: int) -> Any:
        """For the options at one place, of all that the same tensor chose."""
        own = [a.tl_options[number] if _is_chosen_by(a, index, count) else a for a in args]
        return operate(function, *own, plain=plain)

    known = all(type(a) is Choice or not is_tensor(a) for a in args)
    plain = plain or (first.tl_is_plain and known)
    if plain:
        try:
            return first.tl_pick([at(i) for i in range(count)])
        except _OF_PYTHON:
            pass
    places = Choice(index, [Place(i) for i in range(count)], first.tl_source)
    return Operations.select(places, lambda place: _tried(at, place.number, plain))


_OF_PYTHON = (TypeError, ValueError, LookupError, AttributeError)


def _tried(at: Callable[[int], Any], number: int, plain: bool) -> Any:
    """`at(number)`; what Python raises for plain values, the run raises."""
    try:
        return at(number)
    except _OF_PYTHON as error:
        if not plain:
            raise
        return Operations.ended(error)


def _is_chosen_by(x: Any, index: Any, count: int) -> bool:
    return type(x) is Choice and x.tl_index is index and len(x.tl_options) == count


def _has(option: Any, name: str) -> bool:
    return (
        hasattr(type(option), name)
        or name in getattr(option, "__dict__", ())
        or (not _runs_code(option, name) and hasattr(option, name))
    )


def _runs_code(option: Any, name: str) -> bool:
    if isinstance(option, Enum):
        return False
    for base in type(option).__mro__:
        if not policy.is_library_type(base) and "__getattr__" in vars(base):
            return True
        if name in vars(base):
            return isinstance(vars(base)[name], property)
    return False


def _read(option: Any, name: str) -> Any:
    try:
        return Operations.read(option, name)
    except AttributeError as error:
        if _has(option, name):
            raise
        return Operations.ended(error)


def _truth(option: Any) -> Any:
    return condition(option) if staged(option) else bool(option)


def _options(value: Any) -> list[Any]:
    return list(value.tl_options) if type(value) is Choice else [value]


def _outside(option: Any, source: Source) -> Any:
    """How an option is told from others outside of the branch or loop."""
    if isinstance(option, Rebuilt):
        return option.shape
    if isinstance(option, BaseException):
        return Shape.of(option) if Recipe(option).tensors else without_slot(option)
    if not is_plain_object(option):
        return option
    inside = holds_foreign(option, source.home) or (source.is_loop and _is_own(option, source))
    return Shape.of(option) if inside else option


def _is_own(option: Any, source: Source) -> bool:
    """True for an object that the loop has made, or the trace before it for that name only."""
    if is_made_inside(option, source.home):
        return True
    builder = current()
    watch = builder.watched_by() if isinstance(builder, GraphBuilder) else None
    if len(source.home) > 1 or (watch is not None and getattr(watch, "catches", True)):
        return False  # another path, or a handler, may see it
    trace = journal.of_trace()
    if not trace.made_among([option]) or is_shared(option, source.name):
        return False
    return not is_held(option, [*trace.owners(), *young(trace.moment)])


def _rebuilt(value: Any, own: Sequence[Any], shape: Shape, source: Source) -> Rebuilt:
    """The parts of the one of the objects of `shape` that `value` is."""
    if isinstance(value, Rebuilt):
        return value
    if type(value) is not Choice:
        return Rebuilt.of(value, source.home)
    if shape in value.tl_made:
        found: Rebuilt = value.tl_made[shape]
        return found
    options = {i: o for i, o in enumerate(value.tl_options) if is_same(own[i], shape)}
    parts = {i: Rebuilt.of(o, source.home) for i, o in options.items()}
    first = next(iter(parts.values()))
    if len(parts) == 1:
        return first
    rows = [parts.get(i, first).values for i in range(len(own))]
    return Rebuilt(shape, [value.tl_pick(list(column)) for column in zip(*rows, strict=True)])


def _pattern_of_made(option: Any, source: Source) -> Rebuilt:
    if isinstance(option, Rebuilt):
        shape, values = option.shape, option.values
    else:
        shape = Shape.of(option)
        values = shape.values(option)
    return Rebuilt(shape, [pattern_of(v, source) for v in values])


def _pattern(value: Any, source: Source) -> Choice | Rebuilt | None:
    """What stands in for objects that are carried in parts, and for one of several."""
    if type(value) is not Choice and not isinstance(_outside(value, source), Shape):
        return None
    made: dict[Any, Rebuilt] = {}
    options: list[Any] = []
    for o in _options(value):
        option = _outside(o, source)
        if not any(is_same(option, known) for known in options):
            options.append(option)
        if isinstance(option, Shape):
            made[option] = _pattern_of_made(o, source)
    if len(options) == 1 and made:
        return made[options[0]]
    return Choice(Filling(TensorSpec((), int32)), sorted(options, key=order_of), source, made)


object_pattern[:] = [_pattern]


def _refuse(use: str) -> Callable[..., NoReturn]:
    def method(self: Choice, *args: Any) -> NoReturn:
        raise self.tl_refusal(use)

    return method


def _binary(name: str) -> Callable[[Choice, Any], Any]:
    function = getattr(operator, name)
    return lambda self, other: operate(function, self, other)


def _reflected(name: str) -> Callable[[Choice, Any], Any]:
    function = getattr(operator, name)
    return lambda self, other: operate(function, other, self)


def _in_place(name: str) -> Callable[[Choice, Any], Any]:
    """`self += other`: an option that can change does."""
    plain, function = getattr(operator, name), getattr(operator, f"i{name.rstrip('_')}")

    def change(option: Any, other: Any) -> Any:
        Operations.changing(option)
        return function(option, other)

    return lambda self, other: operate(plain if self.tl_is_plain else change, self, other)


_ARITHMETIC = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"),
    *("and_", "or_", "xor", "lshift", "rshift"),
)
for _name in (*_ARITHMETIC, "lt", "le", "gt", "ge"):
    setattr(Choice, f"__{_name.rstrip('_')}__", _binary(_name))
for _name in _ARITHMETIC:
    setattr(Choice, f"__r{_name.rstrip('_')}__", _reflected(_name))
    setattr(Choice, f"__i{_name.rstrip('_')}__", _in_place(_name))
for _name, _unary in (
    *(("neg", operator.neg), ("pos", operator.pos)),
    *(("invert", operator.invert), ("abs", operator.abs)),
):
    setattr(Choice, f"__{_name}__", lambda self, f=_unary: operate(f, self))
for _name in ("enter", "exit", "contains", "index", "int", "float"):
    setattr(Choice, f"__{_name}__", _refuse(f"is used by '__{_name}__' as a whole"))
