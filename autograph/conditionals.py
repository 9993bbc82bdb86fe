"""`if` statements and ternaries at run time: Python's own, or a `cond` node in a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from treadle.graph.build import convert
from treadle.graph.control import Branch, UnknownResultError, emit_cond, new_branch
from treadle.graph.errors import BranchError, ConversionError

from .filling import filler
from .place import Helper, leaves_by_return, line_of, names_of
from .state import (
    Nested,
    Plan,
    Same,
    Slot,
    accepts,
    common_dtype,
    describe_value,
    is_number,
    is_tensor,
    parts_of,
    same_object,
)
from .truth import condition, staged
from .undefined import Undefined, Unused, unused

Getter = Callable[[], dict[str, Any]]
Setter = Callable[[dict[str, Any]], None]


def if_stmt(
    test: Any,
    if_true: Helper | None,
    if_false: Helper | None,
    *state: Any,
    get_state: Getter | None = None,
    set_state: Setter | None = None,
    untracked: Sequence[str] = (),
) -> Any:
    """`if test: ... else: ...` over `state`; a branch that is None hands the state through."""
    if type(test) is not bool and staged(test):
        site = if_true or if_false
        if site is None:
            return _unchanged(state)
        if untracked:
            raise untracked_error(untracked, "`if`", line_of(site))
        branches = Branches(if_true, if_false, state, get_state, set_state, line_of(site))
        return branches.emit(condition(test), names_of(site, len(state)))
    branch = if_true if test else if_false
    return _unchanged(state) if branch is None else branch(*state)


def _unchanged(state: tuple[Any, ...]) -> Any:
    return state[0] if len(state) == 1 else state or None


def if_exp(test: Any, if_true: Callable[[], Any], if_false: Callable[[], Any]) -> Any:
    """`a if test else b`."""
    if type(test) is not bool and staged(test):
        branches = Branches(if_true, if_false, (), None, None, line_of(if_true))
        return branches.emit(condition(test), ())
    return if_true() if test else if_false()


def untracked_error(places: Sequence[str], construct: str, line: str) -> ConversionError:
    return ConversionError(
        f"'{places[0]}' is assigned inside of the {construct} at {line}, which depends on a "
        "tensor, and which item or attribute that is may change while it runs. Assign the item of "
        "a tensor by tl.tensor_scatter_nd_update, collect values in a tl.TensorArray, or use a name"
    )


class Branches:
    """Both branches of one tensor condition, traced and joined."""

    def __init__(
        self,
        if_true: Helper | None,
        if_false: Helper | None,
        state: Sequence[Any],
        get_state: Getter | None,
        set_state: Setter | None,
        line: str,
    ) -> None:
        self.helpers = (if_true, if_false)
        self.state = state
        self.get_state = get_state
        self.set_state = set_state
        self.line = line
        self.then: Branch = new_branch(name="then")
        self.orelse: Branch = new_branch(name="orelse")
        self.outputs: tuple[list[Any], list[Any]] = ([], [])

    def emit(self, pred: Any, names: Sequence[str]) -> Any:
        """Trace both, add the node; the state named `names`, or the one result without state."""
        initial = self.get_state() if self.get_state is not None else {}
        try:
            values = self._traced(pred, [*(names or [""]), *initial], initial)
        except BaseException:
            self._restore(initial)
            raise
        if self.set_state is not None:
            self.set_state(dict(zip(initial, values[-len(initial) :], strict=True)))
        return values[0] if len(names) <= 1 else tuple(values[: len(names)])

    def _traced(self, pred: Any, labels: Sequence[str], initial: dict[str, Any]) -> list[Any]:
        ways: list[list[Any] | None] = []
        for branch, helper in zip((self.then, self.orelse), self.helpers, strict=True):
            try:
                ways.append(self._run(branch, helper, initial))
            except UnknownResultError:
                # A function that calls itself: what it gives, the other branch tells.
                if None in ways:
                    raise
                ways.append(None)
            except Exception as error:
                if type(error).__module__ == "builtins":
                    error.add_note(
                        f"raised while tracing the `if` at {self.line}: its condition is a tensor, "
                        "so both branches are traced, whichever will run"
                    )
                raise
        then, orelse = (w if w is not None else [unused] * len(labels) for w in ways)
        plans = [self._join(a, b, label) for a, b, label in zip(then, orelse, labels, strict=True)]
        results = emit_cond(pred, self.then, self.outputs[0], self.orelse, self.outputs[1])
        return [plan.build(results) for plan in plans]

    def _run(self, branch: Branch, helper: Helper | None, initial: dict[str, Any]) -> list[Any]:
        """The results of a branch: the state, then what it assigned in place."""
        with branch:
            self._restore(initial)
            if helper is None:
                values = list(self.state) or [None]
            else:
                result = helper(*self.state)
                values = list(result) if len(self.state) > 1 else [result]
            if self.get_state is not None:
                values += self.get_state().values()
        return values

    def _restore(self, initial: dict[str, Any]) -> None:
        if self.set_state is not None:
            self.set_state(initial)

    # --- joining -------------------------------------------------------------

    def _join(self, a: Any, b: Any, name: str) -> Plan:
        if isinstance(a, Unused) or isinstance(b, Unused):
            return self._one_sided(a, b)
        if isinstance(a, Undefined) or isinstance(b, Undefined):
            return Same(self._undefined(a, b, name))
        if same_object(a, b):
            return Same(a)
        if is_tensor(a) or is_tensor(b):
            return self._tensor(a, b, name)
        first, second = parts_of(a), parts_of(b)
        if first is not None and second is not None and first[2] == second[2]:
            items = [self._join(x, y, name) for x, y in zip(first[0], second[0], strict=True)]
            return Nested(items, first[1])
        if is_number(a) and is_number(b):
            dtype = common_dtype(a, b)
            if dtype is not None:
                return self._slot(a, b, dtype)
        raise self._disagree(a, b, name)

    def _tensor(self, a: Any, b: Any, name: str) -> Plan:
        for value, other in ((a, b), (b, a)):
            if is_number(value):
                dtype = _dtype(other)
                if not accepts(dtype, value):
                    raise self._disagree(a, b, name)
                return self._slot(a, b, dtype)
        if not (is_tensor(a) and is_tensor(b)) or _dtype(a) is not _dtype(b):
            raise self._disagree(a, b, name)
        return self._slot(a, b, _dtype(a))

    def _slot(self, a: Any, b: Any, dtype: Any) -> Plan:
        with self.then:
            self.outputs[0].append(convert(a, dtype))
        with self.orelse:
            self.outputs[1].append(convert(b, dtype))
        return Slot(len(self.outputs[0]) - 1)

    def _one_sided(self, a: Any, b: Any) -> Plan:
        """One path hands on nothing: what takes its place there is never read."""
        used, other = (b, self.then) if isinstance(a, Unused) else (a, self.orelse)
        if is_tensor(used):
            with self.orelse if other is self.then else self.then:
                tensor = convert(used)
            with other:
                stand_in = filler(tensor.spec)
            pair = (stand_in, tensor) if other is self.then else (tensor, stand_in)
            self.outputs[0].append(pair[0])
            self.outputs[1].append(pair[1])
            return Slot(len(self.outputs[0]) - 1)
        parts = parts_of(used)
        if parts is None:
            return Same(used)
        pairs = [(unused, v) if other is self.then else (v, unused) for v in parts[0]]
        return Nested([self._one_sided(x, y) for x, y in pairs], parts[1])

    def _undefined(self, a: Any, b: Any, name: str) -> Undefined:
        for value in (a, b):
            if isinstance(value, Undefined) and value.reason:
                return value
        sides = ((a, "main"), (b, "else"))
        missing = [label for value, label in sides if isinstance(value, Undefined)]
        if len(missing) == 2:
            return a if isinstance(a, Undefined) else b
        return Undefined(
            name,
            f"'{name}' is used here but the {missing[0]} branch of the `if` at {self.line} leaves "
            "it undefined; which branch runs depends on a tensor, so it must be initialized in "
            "both branches or before the `if`",
        )

    def _disagree(self, a: Any, b: Any, name: str) -> BranchError:
        site = self.helpers[0] or self.helpers[1]
        word = leaves_by_return(site) if site is not None and not name else ""
        if word:
            return BranchError(
                f"the function returns {describe_value(a)} from inside of the `{word}` at "
                f"{self.line} but {describe_value(b)} behind it; whether it returns there depends "
                f"on a tensor, so both must agree. {_cure(a, b)}"
            )
        what = f"'{name}' is" if name else "the result is"
        return BranchError(
            f"{what} {describe_value(a)} in the main branch of the `if` at {self.line} but "
            f"{describe_value(b)} in its else branch; which one runs depends on a tensor, so both "
            f"must agree. {_cure(a, b)}"
        )


def _cure(a: Any, b: Any) -> str:
    if a is None or b is None:
        return "Give it a tensor on both paths."
    if is_tensor(a) or is_tensor(b) or (is_number(a) and is_number(b)):
        return "Use tl.cast, or a number of the same kind."
    return "Make both branches give values of one type."


def _dtype(value: Any) -> Any:
    dtype = getattr(value, "dtype", None)
    return convert(value).dtype if not hasattr(dtype, "is_integer") else dtype
