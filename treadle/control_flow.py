"""Control flow by hand: `cond`, `while_loop`, `case`, `switch_case`, eager and traced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .autograph import operators as ag
from .graph.build import convert, is_tracing
from .graph.control import emit_switch, new_branch
from .graph.dtypes import int32
from .graph.errors import BranchError, InvalidArgumentError
from .graph.nest import flatten, pack
from .graph.node import Value
from .graph.ops.casting import cast
from .graph.ops.logic import logical_and
from .graph.spec import ArraySpec

Thunk = Callable[[], Any]


def cond(pred: Any, true_fn: Thunk, false_fn: Thunk, name: str | None = None) -> Any:
    """The result of `true_fn` if `pred`, a bool scalar, is true, else that of `false_fn`.

    In a trace with a symbolic `pred` both are traced, and must give results of the same structure
    and dtypes; else just one is called. Raises BranchError (a TypeError) where they disagree.

    >>> import treadle as tl
    >>> tl.cond(tl.constant(2) > 1, lambda: tl.constant("yes"), lambda: tl.constant("no")).numpy()
    b'yes'
    """
    if not isinstance(pred, Value):
        return true_fn() if bool(pred) else false_fn()
    return ag.if_exp(pred, true_fn, false_fn)


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Repeat `loop_vars = body(*loop_vars)` while `cond(*loop_vars)` is true; the last ones.

    `loop_vars` is a list or tuple (or another structure), whose structure, dtypes and shapes stay.
    Raises LoopDtypeError or LoopShapeError where they do not.

    >>> import treadle as tl
    >>> i, p = tl.while_loop(lambda i, p: i < 5, lambda i, p: (i + 1, p * 2), (0, 1))
    >>> p.numpy()
    np.int32(32)
    """
    count = 0 if maximum_iterations is None else convert(0)
    several = isinstance(loop_vars, (list, tuple))
    values = list(loop_vars) if several else [loop_vars]
    values = [pack(v, [_carried(x) for x in flatten(v)]) for v in values]

    def test(count: Any, *state: Any) -> Any:
        going_on = cond(*state)
        if maximum_iterations is None:
            return going_on
        return logical_and(convert(count) < maximum_iterations, going_on)

    def step(count: Any, *state: Any) -> Any:
        results = body(*state)
        listed = list(results) if several and isinstance(results, (list, tuple)) else [results]
        if len(listed) != len(state):
            raise BranchError(
                f"the loop's body gives {len(listed)} values, there are {len(state)} loop variables"
            )
        return (count if maximum_iterations is None else count + 1, *listed)

    if is_tracing():
        _, *values = ag.while_stmt(test, step, count, *values)
    else:
        while bool(test(count, *values)):
            count, *values = step(count, *values)
    if not several:
        return values[0]
    return pack(loop_vars, flatten(values)) if isinstance(loop_vars, tuple) else values


def _carried(x: Any) -> Any:
    """A tensor, or the contents of a TensorArray, as they are."""
    return x if isinstance(getattr(x, "spec", None), ArraySpec) else convert(x)


def switch_case(
    branch_index: Any,
    branch_fns: Sequence[Any] | Mapping[int, Thunk],
    default: Thunk | None = None,
    name: str | None = None,
) -> Any:
    """The result of the function number `branch_index`, an int32 scalar.

    An index that none has calls `default`, or the last function. In a trace with a symbolic index
    all are traced, and must give results of the same structure and dtypes; BranchError otherwise.

    >>> import treadle as tl
    >>> tl.switch_case(tl.constant(1), [lambda: 10, lambda: 20, lambda: 30])
    20
    """
    if isinstance(branch_fns, Mapping):
        numbered = dict(branch_fns)
    else:
        pairs = [f if isinstance(f, tuple) else (i, f) for i, f in enumerate(branch_fns)]
        numbered = dict(pairs)
    if not numbered:
        raise InvalidArgumentError("switch_case needs at least one function")
    otherwise = default or numbered[max(numbered)]
    if not isinstance(branch_index, Value):
        return numbered.get(int(branch_index), otherwise)()
    functions = [numbered.get(i, otherwise) for i in range(max(numbered) + 1)]
    if default is not None:
        functions.append(default)
    branches, structures, outputs = [], [], []
    for function in functions:
        branch = new_branch(name="case")
        with branch:
            result = function()
            outputs.append([convert(x) for x in flatten(result)])
        structures.append(result)
        branches.append(branch)
    if len({len(o) for o in outputs}) > 1:
        raise BranchError(f"the functions of switch_case give {structures}: not of one structure")
    index = cast(branch_index, int32)
    # A negative index is out of range as well.
    inside = ag.if_exp(index < 0, lambda: len(functions) - 1, lambda: index)
    return pack(structures[0], emit_switch(inside, branches, outputs))


def case(
    pred_fn_pairs: Sequence[tuple[Any, Thunk]],
    default: Thunk | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str | None = None,
) -> Any:
    """The result of the first function whose predicate is true, else of `default`.

    Without `default` the last function is called where no predicate holds. With `exclusive`, more
    than one true predicate is an InvalidArgumentError, for predicates with known values.

    >>> import treadle as tl
    >>> x = tl.constant(3)
    >>> tl.case([(x < 2, lambda: "small"), (x < 5, lambda: "middle")], default=lambda: "large")
    'middle'
    """
    if exclusive:
        known = [bool(p) for p, _ in pred_fn_pairs if not isinstance(p, Value)]
        if sum(known) > 1:
            raise InvalidArgumentError("more than one predicate of an exclusive case is true")
    pairs = list(pred_fn_pairs)
    last = default or pairs.pop()[1]

    def choose(place: int) -> Any:
        if place == len(pairs):
            return last()
        pred, function = pairs[place]
        return cond(pred, function, lambda: choose(place + 1))

    return choose(0)


__all__ = ["case", "cond", "switch_case", "while_loop"]
