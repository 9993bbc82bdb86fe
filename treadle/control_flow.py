"""Control flow by hand: `cond`, `while_loop`, `case`, `switch_case`, eager and traced."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .autograph import operators as ag
from .graph.build import convert, is_tracing
from .graph.control import emit_switch, new_branch
from .graph.dtypes import int32
from .graph.errors import BranchError, InvalidArgumentError, LoopShapeError, ShapeError
from .graph.nest import children, flatten, pack
from .graph.node import Value
from .graph.ops.casting import cast
from .graph.ops.effects import assert_true
from .graph.ops.joining import stack
from .graph.ops.logic import logical_and
from .graph.ops.reductions import reduce_sum
from .graph.spec import ArraySpec, TensorShape, covers

Thunk = Callable[[], Any]


def cond(pred: Any, true_fn: Thunk, false_fn: Thunk, name: str | None = None) -> Any:
    """The result of `true_fn` if `pred`, a bool scalar, is true, else that of `false_fn`.

    In a trace with a symbolic `pred` both are traced, and must give results of the same structure
    and dtypes; else just one is called. Raises BranchError (a TypeError) where they disagree.

    >>> import treadle as tl
    >>> tl.cond(tl.constant(2) > 1, lambda: tl.constant("yes"), lambda: tl.constant("no")).numpy()
    b'yes'
    """
    _require_functions("cond", true_fn=true_fn, false_fn=false_fn)
    true_fn, false_fn = _converted(true_fn), _converted(false_fn)
    if not isinstance(pred, Value):
        return true_fn() if bool(pred) else false_fn()
    return ag.if_exp(pred, true_fn, false_fn)


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    shape_invariants: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    maximum_iterations: Any = None,
    name: str | None = None,
) -> Any:
    """Repeat `loop_vars = body(*loop_vars)` while `cond(*loop_vars)` is true; the last ones.

    `loop_vars` is a list or tuple (or another structure), whose structure, dtypes and shapes stay;
    `shape_invariants`, shapes in that structure, say what may change of them. Raises
    LoopDtypeError or LoopShapeError otherwise. `parallel_iterations`, `back_prop` and
    `swap_memory` are there for TensorFlow's sake and do nothing.

    >>> import treadle as tl
    >>> i, p = tl.while_loop(lambda i, p: i < 5, lambda i, p: (i + 1, p * 2), (0, 1))
    >>> p.numpy()
    np.int32(32)
    """
    _require_functions("while_loop", cond=cond, body=body)
    count = 0 if maximum_iterations is None else convert(0)
    several = isinstance(loop_vars, (list, tuple))
    values = list(loop_vars) if several else [loop_vars]
    values = [pack(v, [_carried(x) for x in flatten(v)]) for v in values]
    shapes = None if shape_invariants is None else _invariants(shape_invariants, values)
    user_body = body
    cond, body = _converted(cond), _converted(body)

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
        _tell(step, user_body, len(values))
        if not values:
            ag.while_stmt(test, lambda count: step(count)[0], count)
        else:
            _, *values = ag.while_stmt(test, step, count, *values, shapes_vary=shapes is not None)
    else:
        while bool(test(count, *values)):
            count, *values = step(count, *values)
    if shapes is not None:
        _require_shapes(flatten(values), shapes, "after one iteration")
    if not several:
        return values[0]
    return pack(loop_vars, flatten(values)) if isinstance(loop_vars, tuple) else values


def _require_functions(what: str, **given: Any) -> None:
    for name, x in given.items():
        if not callable(x):
            need = "a function without arguments, as in 'lambda: ...'"
            if what == "while_loop":
                need = "a function of the loop variables"
            raise TypeError(f"{what}: {name} must be {need}, got {x!r}")


def _if_given(default: Any) -> dict[str, Any]:
    return {} if default is None else {"default": default}


def _converted(function: Callable[..., Any]) -> Callable[..., Any]:
    made: Callable[..., Any] = ag.call(function) if is_tracing() else function
    return made


def _tell(step: Any, body: Any, count: int) -> None:
    """Let messages name the user's loop variables and line."""
    code = getattr(body, "__code__", None)
    if code is None:
        names = [f"loop variable {i}" for i in range(count)]
    else:
        first = 1 if hasattr(body, "__self__") else 0
        names = [*code.co_varnames[first : code.co_argcount]]
        names += [f"loop variable {i}" for i in range(len(names), count)]
        step.__tl_code__ = code
    step.__tl_names__ = ["count", *names[:count]]


def _invariants(shapes: Any, values: Sequence[Any]) -> list[TensorShape]:
    """The shapes that say what may change, one for each tensor."""
    found = [TensorShape(getattr(s, "shape", s)) for s in _shape_leaves(shapes)]
    leaves = flatten(values)
    if len(found) != len(leaves):
        raise ShapeError(
            f"while_loop: there are {len(found)} shape_invariants for {len(leaves)} loop variables"
        )
    _require_shapes(leaves, found, "before the loop")
    return found


def _shape_leaves(shapes: Any) -> list[Any]:
    """TensorShapes and specs; plain lists and tuples nest, but for those of sizes."""
    if shapes is None or isinstance(shapes, TensorShape) or hasattr(shapes, "shape"):
        return [shapes]
    parts = children(shapes)
    assert parts is not None
    if parts and all(d is None or isinstance(d, int) for d in parts):
        return [shapes]
    return [leaf for part in parts for leaf in _shape_leaves(part)]


def _require_shapes(values: Sequence[Any], shapes: Sequence[TensorShape], when: str) -> None:
    for i, (x, shape) in enumerate(zip(values, shapes, strict=True)):
        if not isinstance(getattr(x, "spec", None), ArraySpec) and not covers(shape, x.shape):
            raise LoopShapeError(
                f"loop variable {i} has shape {x.shape} {when}, its shape invariant is {shape}"
            )


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
    given = {f"branch_fns[{i}]": f for i, f in numbered.items()}
    _require_functions("switch_case", **given, **_if_given(default))
    otherwise = default or numbered[max(numbered)]
    if not isinstance(branch_index, Value):
        return _converted(numbered.get(int(branch_index), otherwise))()
    functions = [numbered.get(i, otherwise) for i in range(max(numbered) + 1)]
    if default is not None:
        functions.append(default)
    branches, structures, outputs = [], [], []
    for function in functions:
        branch = new_branch(name="case")
        with branch:
            result = _converted(function)()
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
    pred_fn_pairs: Any,
    default: Thunk | None = None,
    exclusive: bool = False,
    strict: bool = False,
    name: str | None = None,
) -> Any:
    """The result of the first function whose predicate is true, else of `default`.

    `pred_fn_pairs` is a list of pairs of a bool scalar and a function. It is an
    InvalidArgumentError if no predicate holds and there is no `default`, and with `exclusive` if
    more than one does.

    >>> import treadle as tl
    >>> x = tl.constant(3)
    >>> tl.case([(x < 2, lambda: "small"), (x < 5, lambda: "middle")], default=lambda: "large")
    'middle'
    """
    pairs = list(pred_fn_pairs)
    if not all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in pairs):
        raise TypeError("case needs a list of pairs of a predicate and a function")
    if not pairs and default is None:
        raise InvalidArgumentError("case needs at least one pair, or a default")
    given = {f"the function of pair {i}": f for i, (_, f) in enumerate(pairs)}
    _require_functions("case", **given, **_if_given(default))
    preds = [convert(pred) for pred, _ in pairs]
    if exclusive and len(pairs) > 1:
        held = reduce_sum(cast(stack(preds), int32))
        assert_true(held <= 1, "more than one predicate of an exclusive case is true:", *preds)

    def choose(place: int) -> Any:
        pred, (_, function) = preds[place], pairs[place]
        if place == len(pairs) - 1:
            if default is not None:
                return cond(pred, function, default)
            assert_true(pred, "no predicate of the case is true, and there is no default")
            return _converted(function)()
        return cond(pred, function, lambda: choose(place + 1))

    return choose(0) if pairs else _converted(default)()  # type: ignore[arg-type]


__all__ = ["case", "cond", "switch_case", "while_loop"]
