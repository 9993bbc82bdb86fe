"""The error classes. Each has one cause; TensorFlow's names also derive from the nearest built-in.

An error that an op raises is first an `OpError` with a message in terms of the op; the door
(`graph/build.py`) adds what the user wrote: the argument's text, file and line.
"""

from __future__ import annotations

from . import status_errors
from .status_errors import *  # noqa: F403 - handed on


class InvalidArgumentError(status_errors.OpError, ValueError):
    """An op got a value, shape or dtype that it can't use.

    >>> import treadle as tl
    >>> tl.range(0, 5, 0)
    Traceback (most recent call last):
    ...
    treadle.graph.errors.InvalidArgumentError: range: the step of a range must not be 0 ...

    The cure: a value that the message allows.

    >>> tl.range(0, 5, 2).numpy().tolist()
    [0, 2, 4]
    """

    error_code = 3


class ShapeError(InvalidArgumentError):
    """Shapes that do not fit together.

    >>> import treadle as tl
    >>> tl.ones([2, 3]) + tl.ones([2])
    Traceback (most recent call last):
    ...
    treadle.graph.errors.ShapeError: add: shapes (2, 3) and (2,) do not broadcast ...

    The cure: give the smaller one an axis of size 1 where it repeats.

    >>> (tl.ones([2, 3]) + tl.ones([2])[:, None]).shape
    TensorShape([2, 3])
    """


class DTypeError(InvalidArgumentError, TypeError):
    """Dtypes that do not fit together; treadle, as TensorFlow, never promotes silently.

    >>> import treadle as tl
    >>> tl.constant(1.5) + tl.constant(1)
    Traceback (most recent call last):
    ...
    treadle.graph.errors.DTypeError: add: dtypes float32 and int32 are mixed; use tl.cast ...

    The cure: say which dtype is meant.

    >>> float(tl.constant(1.5) + tl.cast(tl.constant(1), tl.float32))
    2.5
    """


class IndexOutOfRangeError(InvalidArgumentError, IndexError):
    """An index lies outside of the axis that it selects from.

    >>> import treadle as tl
    >>> x = tl.constant([1, 2])
    >>> x[2]
    Traceback (most recent call last):
    ...
    treadle.graph.errors.IndexOutOfRangeError: indexing: index 2 is out of range for axis 0 ...

    The cure: stay below the size; negative indices count from the end.

    >>> int(x[-1])
    2
    """


class AssertionFailedError(AssertionError, InvalidArgumentError):
    """An `assert` or `tl.debugging.assert_*` over tensors did not hold.

    >>> import treadle as tl
    >>> tl.debugging.assert_positive(tl.constant([2, -1]))
    Traceback (most recent call last):
    ...
    treadle.graph.errors.AssertionFailedError: assert: Condition x > 0 did not hold. x: [2 -1] ...

    The cure: give values for which it holds, or make them so.

    >>> tl.debugging.assert_positive(tl.maximum(tl.constant([2, -1]), 1))
    """


class DivisionByZeroError(InvalidArgumentError, ZeroDivisionError):
    """An integer was divided by zero.

    >>> import treadle as tl
    >>> n = tl.constant([4, 0])
    >>> 8 // n
    Traceback (most recent call last):
    ...
    treadle.graph.errors.DivisionByZeroError: floordiv: integer division by zero ...

    The cure: divide as floats (`8 / n` is `inf`), or keep zeros away.

    >>> tl.where(n == 0, 0, 8 // tl.maximum(n, 1)).numpy().tolist()
    [2, 0]
    """


class OutOfRangeError(status_errors.OpError, IndexError):
    """An iterator has no more items.

    >>> import treadle as tl
    >>> iterator = iter(tl.data.Dataset.range(1))
    >>> _ = iterator.get_next()
    >>> iterator.get_next()
    Traceback (most recent call last):
    ...
    treadle.graph.errors.OutOfRangeError: next: End of sequence: the iterator has no ...

    The cure: loop over the dataset, or ask for an optional item.

    >>> [int(x) for x in tl.data.Dataset.range(2)]
    [0, 1]
    """

    error_code = 11


class GraphCheckError(status_errors.InternalError):
    """`tl.graph.check` found a graph that breaks a rule of the IR.

    With `TREADLE_CHECK=1` each graph is checked after tracing and after each pass.

    >>> import treadle as tl
    >>> f = tl.function(lambda x: tl.sin(x + 1.0))
    >>> graph = f.get_concrete_function(tl.TensorSpec([])).graph
    >>> graph.nodes = graph.nodes[::-1]
    >>> tl.graph.check(graph)
    Traceback (most recent call last):
    ...
    treadle.graph.errors.GraphCheckError: graph 'lambda_': sin: its input 0 (f32[]) is used ...

    The cure: keep the rule; here, nodes in an order in which they can run.

    >>> graph.nodes = graph.nodes[::-1]
    >>> tl.graph.check(graph) is graph
    True
    """


class ParseError(ValueError):
    """The text of a graph does not parse; the message names line and column.

    >>> import treadle as tl
    >>> text = '''
    ... # double(x: f32[]) -> f32[]
    ... def double(x):
    ...     v0 = add(x, y)  # f32[]
    ...     return v0
    ... '''
    >>> tl.graph.parse(text)
    Traceback (most recent call last):
    ...
    treadle.graph.errors.ParseError: line 4, column 17: 'y' ...

    The cure: mend the text there.

    >>> print(tl.graph.parse(text.replace("y", "x")))
    # double(x: f32[]) -> f32[]
    ...
    """


class OperatorNotAllowedInGraphError(TypeError):
    """A symbolic tensor was used where Python needs its value now: `if x`, `bool(x)`, `int(x)`.

    Where AutoGraph is off, or the code is not the user's own Python, a condition is no part of the
    graph.

    >>> import treadle as tl
    >>> @tl.function(autograph=False)
    ... def f(x):
    ...     return x if x > 0 else -x
    >>> f(tl.constant(-3.0))
    Traceback (most recent call last):
    ...
    treadle.graph.errors.OperatorNotAllowedInGraphError: The truth value of the symbolic tensor ...

    The cure: let AutoGraph convert the function, or write the choice with ops.

    >>> @tl.function(autograph=False)
    ... def f(x):
    ...     return tl.where(x > 0, x, -x)
    >>> float(f(tl.constant(-3.0)))
    3.0
    """


class LeakedTensorError(TypeError, ValueError):
    """A symbolic tensor was used outside of the function whose trace made it.

    >>> import treadle as tl
    >>> kept = []
    >>> @tl.function
    ... def f(x):
    ...     kept.append(x * 2)
    ...     return x
    >>> _ = f(tl.constant(1.0))
    >>> kept[0] + 1
    Traceback (most recent call last):
    ...
    treadle.graph.errors.LeakedTensorError: a symbolic tensor (f32[]) was made in the trace of ...

    The cure: return it, or keep it in a Variable.

    >>> last = tl.Variable(0.0)
    >>> @tl.function
    ... def f(x):
    ...     last.assign(x * 2)
    ...     return x
    >>> _ = f(tl.constant(1.0))
    >>> float(last + 1)
    3.0
    """


InaccessibleTensorError = LeakedTensorError


class SignatureError(ValueError, TypeError):
    """A call does not fit the function's parameters or its `input_signature`.

    >>> import treadle as tl
    >>> @tl.function(input_signature=[tl.TensorSpec([None], tl.float32)])
    ... def f(x):
    ...     return x * 2
    >>> f(tl.constant(1))
    Traceback (most recent call last):
    ...
    treadle.graph.errors.SignatureError: Python inputs incompatible with input_signature: ...

    The cure: pass what the signature says.

    >>> f(tl.constant([1.0])).numpy().tolist()
    [2.0]
    """


class VariableCreationError(ValueError):
    """A traced function made a `Variable` on a call that is not its first.

    >>> import treadle as tl
    >>> @tl.function
    ... def f(x):
    ...     return tl.Variable(1.0) + x
    >>> f(tl.constant(1.0))
    Traceback (most recent call last):
    ...
    treadle.graph.errors.VariableCreationError: the function 'f' tried to create the variable ...

    The cure: make it once.

    >>> made = []
    >>> @tl.function
    ... def f(x):
    ...     if not made:
    ...         made.append(tl.Variable(1.0))
    ...     return made[0] + x
    >>> float(f(tl.constant(1.0)))
    2.0
    """


class UndefinedVariableError(ValueError):
    """A name is read that the branch or loop that ran left undefined.

    >>> import treadle as tl
    >>> @tl.function
    ... def f(x):
    ...     if x > 0:
    ...         y = x * 2
    ...     return y
    >>> f(tl.constant(1.0))
    Traceback (most recent call last):
    ...
    treadle.graph.errors.UndefinedVariableError: 'y' is used here but the else branch ...

    The cure: give it a value on every path.

    >>> @tl.function
    ... def f(x):
    ...     y = x
    ...     if x > 0:
    ...         y = x * 2
    ...     return y
    >>> float(f(tl.constant(1.0)))
    2.0
    """


class LoopDtypeError(TypeError):
    """A loop variable changes its dtype.

    >>> import treadle as tl
    >>> @tl.function
    ... def f(n):
    ...     total = tl.constant(0)
    ...     for i in tl.range(n):
    ...         total = tl.cast(total, tl.float32) + 0.5
    ...     return total
    >>> f(tl.constant(3))
    Traceback (most recent call last):
    ...
    treadle.graph.errors.LoopDtypeError: 'total' is int32 before the loop (...

    The cure: start with the dtype that the loop gives.

    >>> @tl.function
    ... def f(n):
    ...     total = tl.constant(0.0)
    ...     for i in tl.range(n):
    ...         total = total + 0.5
    ...     return total
    >>> float(f(tl.constant(3)))
    1.5
    """


class LoopShapeError(ValueError):
    """A loop variable changes its shape.

    >>> import treadle as tl
    >>> @tl.function
    ... def f(n):
    ...     y = tl.zeros([0])
    ...     for i in tl.range(n):
    ...         y = tl.concat([y, [1.0]], 0)
    ...     return y
    >>> f(tl.constant(3))
    Traceback (most recent call last):
    ...
    treadle.graph.errors.LoopShapeError: 'y' is float32 of shape (0,) before the loop (...

    The cure: write into a tensor of the final size.

    >>> @tl.function
    ... def f(n):
    ...     y = tl.zeros([n])
    ...     for i in tl.range(n):
    ...         y = tl.tensor_scatter_nd_update(y, [[i]], [1.0])
    ...     return y
    >>> f(tl.constant(3)).numpy().tolist()
    [1.0, 1.0, 1.0]
    """


class BranchError(TypeError):
    """The branches of a tensor condition disagree about a value.

    >>> import treadle as tl
    >>> @tl.function
    ... def f(x):
    ...     return 1 if x > 0 else 2.5
    >>> f(tl.constant(1.0))
    Traceback (most recent call last):
    ...
    treadle.graph.errors.BranchError: the result is the Python int 1 in the main branch of ...

    The cure: values of one dtype.

    >>> @tl.function
    ... def f(x):
    ...     return 1.0 if x > 0 else 2.5
    >>> float(f(tl.constant(1.0)))
    1.0
    """


class PythonLoopError(TypeError, NotImplementedError):
    """A Python loop is left by a tensor-valued `break` or `return`.

    >>> import treadle as tl
    >>> @tl.function
    ... def f(x):
    ...     for i in range(5):
    ...         if x > 10:
    ...             break
    ...         x = x * 2
    ...     return x
    >>> f(tl.constant(3))
    Traceback (most recent call last):
    ...
    treadle.graph.errors.PythonLoopError: the `for` loop at ... runs in Python, while tracing, ...

    The cure: a loop of the graph.

    >>> @tl.function
    ... def f(x):
    ...     for i in tl.range(5):
    ...         if x > 10:
    ...             break
    ...         x = x * 2
    ...     return x
    >>> int(f(tl.constant(3)))
    12
    """


class ConversionError(ValueError):
    """AutoGraph can't convert this construct.

    >>> import treadle as tl
    >>> @tl.function
    ... def count(words):
    ...     seen = {}
    ...     for word in words:
    ...         seen[word] = True
    ...     return seen
    >>> count(tl.constant(["a", "b"]))
    Traceback (most recent call last):
    ...
    treadle.graph.errors.ConversionError: 'seen' gets other keys at ...

    The cure stands in the message; here, a list, which may grow.

    >>> @tl.function
    ... def count(words):
    ...     seen = []
    ...     for word in words:
    ...         seen.append(word)
    ...     return tl.stack(seen)
    >>> count(tl.constant(["a", "b"])).numpy().tolist()
    [b'a', b'b']
    """


class ListItemError(ConversionError):
    """A list whose length depends on a tensor is used in a way that its items do not allow.

    >>> import treadle as tl
    >>> @tl.function
    ... def positive(xs):
    ...     found = []
    ...     for x in xs:
    ...         if x > 0:
    ...             found.append(x)
    ...     return found[:: xs[0]]
    >>> positive(tl.constant([1, -2, 3]))
    Traceback (most recent call last):
    ...
    treadle.graph.errors.ListItemError: the step of a slice must be a Python int, at ...

    The cure: stack the items, and use tensor ops.

    >>> @tl.function
    ... def positive(xs):
    ...     found = []
    ...     for x in xs:
    ...         if x > 0:
    ...             found.append(x)
    ...     return tl.gather(found, tl.range(0, len(found), xs[0]))
    >>> positive(tl.constant([1, -2, 3])).numpy().tolist()
    [1, 3]
    """


class GradientError(ValueError):
    """A gradient was asked for in a way that has no answer.

    >>> import treadle as tl
    >>> x = tl.Variable(3.0)
    >>> with tl.GradientTape(persistent=True) as tape:
    ...     y = x * x
    >>> tape.gradient(y, 3.0)
    Traceback (most recent call last):
    ...
    treadle.graph.errors.GradientError: the source 3.0 is not a tensor or variable

    The cure: name the variable, or the tensor that the tape watches.

    >>> float(tape.gradient(y, x))
    6.0
    """


class BatchingError(ValueError):
    """What a function does has no meaning for a batch of examples (`tl.vmap`).

    >>> import treadle as tl
    >>> tl.vmap(lambda x: tl.boolean_mask(x, x > 0))(tl.constant([[1, -1], [2, 3]]))
    Traceback (most recent call last):
    ...
    treadle.graph.errors.BatchingError: nonzero at ... can't be done in a vmap: how many ...

    The cure: results of one size for all examples.

    >>> tl.vmap(lambda x: tl.where(x > 0, x, 0))(tl.constant([[1, -1], [2, 3]])).numpy().tolist()
    [[1, 0], [2, 3]]
    """


class MissingGradientError(GradientError, LookupError):
    """An op without a gradient lies between target and source.

    >>> import treadle as tl
    >>> image = tl.Variable(tl.ones([2, 2, 1]))
    >>> with tl.GradientTape() as tape:
    ...     y = tl.image.adjust_contrast(image, 2.0)
    >>> tape.gradient(y, image)
    Traceback (most recent call last):
    ...
    treadle.graph.errors.MissingGradientError: no gradient is registered for the op ...

    The cure: write it with other ops (or register a gradient, see `tl.RegisterGradient`).

    >>> with tl.GradientTape() as tape:
    ...     mean = tl.reduce_mean(image, [0, 1])
    ...     y = (image - mean) * 2.0 + mean
    >>> tape.gradient(y, image).shape
    TensorShape([2, 2, 1])
    """


class SideEffectWarning(UserWarning):
    """A traced function changes something of Python's that outlives the call.

    That happens while the function is traced, and not at each call.

    >>> import treadle as tl, warnings
    >>> seen = []
    >>> @tl.function
    ... def f(x):
    ...     seen.append(x)
    ...     return x * 2
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = [f(tl.constant(i)) for i in range(3)]
    >>> len(seen), [w.category.__name__ for w in told]
    (1, ['SideEffectWarning'])

    The cure: return the value, keep it in a Variable, or use `tl.py_function`.

    >>> total = tl.Variable(0)
    >>> @tl.function
    ... def f(x):
    ...     total.assign_add(x)
    ...     return x * 2
    >>> _ = [f(tl.constant(i)) for i in range(3)]
    >>> int(total)
    3
    """


class RetracingWarning(UserWarning):
    """A function is traced over and over, and its traces are not used again.

    >>> import treadle as tl, warnings
    >>> @tl.function
    ... def f(x, rate):
    ...     return x * rate
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     _ = [f(tl.constant(1.0), 0.1 * i) for i in range(20)]
    >>> [w.category.__name__ for w in told]
    ['RetracingWarning']

    The cure, which the warning and `f.explain()` tell: pass the number as a tensor.

    >>> @tl.function
    ... def f(x, rate):
    ...     return x * rate
    >>> _ = [f(tl.constant(1.0), tl.constant(0.1 * i)) for i in range(20)]
    >>> f.experimental_get_tracing_count()
    1
    """
