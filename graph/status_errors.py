"""The errors of TensorFlow's status codes, and `OpError`, their base; errors.py has the others."""

from __future__ import annotations


class OpError(Exception):
    """Base of the errors that ops raise; `message` is the text, as in TensorFlow.

    `error_code` is the number of the class there. One can also be made as there, from a node (or
    None), an op (or None) and a message.

    >>> import treadle as tl
    >>> tl.gather([1, 2], tl.constant(5))
    Traceback (most recent call last):
    ...
    treadle.graph.errors.IndexOutOfRangeError: gather: index 5 is out of range for axis 0 ...

    The cure is that of the class; to go on whatever it was, catch this one.

    >>> try:
    ...     tl.gather([1, 2], tl.constant(5))
    ... except tl.errors.OpError as error:
    ...     print(error.error_code, error.message.splitlines()[0])
    3 gather: index 5 is out of range for axis 0 ...
    """

    error_code = 2

    def __init__(self, *args: object) -> None:
        as_there = len(args) > 2 and not isinstance(args[0], str) and isinstance(args[2], str)
        super().__init__(*(args[2:3] if as_there else args))

    @property
    def message(self) -> str:
        return str(self.args[0]) if self.args else ""


class FailedPreconditionError(OpError, RuntimeError):
    """The state does not allow the op: a variable has no value, say.

    >>> import treadle as tl
    >>> made = []
    >>> @tl.function
    ... def f(x):
    ...     if not made:
    ...         made.append(tl.Variable(x))
    ...     return made[0] + x
    >>> f.get_concrete_function(tl.TensorSpec([]))  # traces, and runs nothing
    Traceback (most recent call last):
    ...
    treadle.graph.errors.VariableCreationError: the initial value of ...
    >>> made[0].read_value()
    Traceback (most recent call last):
    ...
    treadle.graph.status_errors.FailedPreconditionError: read: the variable has no value yet: ...

    The cure: let the function that makes the variable run to its end.

    >>> made.clear()
    >>> _ = f(tl.constant(1.0))
    >>> float(made[0].read_value())
    1.0
    """

    error_code = 9


class UnimplementedError(OpError, NotImplementedError):
    """The op is not defined for these arguments.

    >>> import treadle as tl
    >>> tl.random.Generator.from_seed(1, alg="threefry")
    Traceback (most recent call last):
    ...
    treadle.graph.status_errors.UnimplementedError: the algorithm 'threefry' is not known; ...

    The cure: arguments that the message names.

    >>> _ = tl.random.Generator.from_seed(1, alg="philox")
    """

    error_code = 12


class ResourceExhaustedError(OpError, MemoryError):
    """There is not enough memory for a result.

    >>> import treadle as tl
    >>> tl.zeros([2**20, 2**20, 2**20])
    Traceback (most recent call last):
    ...
    treadle.graph.status_errors.ResourceExhaustedError: Unable to allocate 4.00 EiB for an array ...

    The cure: less at a time.

    >>> blocks = tl.data.Dataset.range(3).map(lambda i: tl.zeros([2**10, 2**10]))
    >>> sum(float(tl.reduce_sum(block)) for block in blocks)
    0.0
    """

    error_code = 8


class InternalError(OpError, RuntimeError):
    """A fault of treadle itself; please report it.

    Code that calls treadle may want to tell those from its own.

    >>> import treadle as tl
    >>> def reported(job):
    ...     try:
    ...         return job()
    ...     except tl.errors.InternalError as error:
    ...         return f"treadle is broken: {error.message}"
    >>> def job():
    ...     raise tl.errors.InternalError("node 3 is under no construction")
    >>> job()
    Traceback (most recent call last):
    ...
    treadle.graph.status_errors.InternalError: node 3 is under no construction

    The cure is ours.

    >>> reported(job)
    'treadle is broken: node 3 is under no construction'
    """

    error_code = 13


class NotFoundError(OpError, LookupError):
    """Something was asked for by a name that nothing has.

    TensorFlow's error 5. No op of treadle raises it; it is there for a program's own Python.

    >>> import treadle as tl
    >>> rates = {b"slow": 0.25}
    >>> def rate_of(name):
    ...     if name.numpy() not in rates:
    ...         raise tl.errors.NotFoundError(f"there is no rate {name.numpy().decode()!r}")
    ...     return rates[name.numpy()]
    >>> @tl.function
    ... def f(name):
    ...     return tl.py_function(rate_of, [name], tl.float32)
    >>> f(tl.constant("fast"))
    Traceback (most recent call last):
    ...
    treadle.graph.status_errors.NotFoundError: there is no rate 'fast'

    The cure: a name that exists, or a handler.

    >>> @tl.function
    ... def f(name):
    ...     try:
    ...         return tl.py_function(rate_of, [name], tl.float32)
    ...     except tl.errors.NotFoundError:
    ...         return tl.constant(1.0)
    >>> float(f(tl.constant("slow"))), float(f(tl.constant("fast")))
    (0.25, 1.0)
    """

    error_code = 5


class AlreadyExistsError(OpError, ValueError):
    """Something is to be made under a name that is taken.

    TensorFlow's error 6. No op of treadle raises it; it is there for a program's own Python.

    >>> import treadle as tl
    >>> scores = {}
    >>> def enter(step, score):
    ...     if int(step) in scores:
    ...         raise tl.errors.AlreadyExistsError(f"step {int(step)} has a score")
    ...     scores[int(step)] = float(score)
    >>> @tl.function
    ... def evaluate(step, score):
    ...     tl.py_function(enter, [step, score], None)
    >>> evaluate(tl.constant(1), tl.constant(0.5))
    >>> evaluate(tl.constant(1), tl.constant(0.75))
    Traceback (most recent call last):
    ...
    treadle.graph.status_errors.AlreadyExistsError: step 1 has a score

    The cure: another name.

    >>> evaluate(tl.constant(2), tl.constant(0.75))
    >>> scores
    {1: 0.5, 2: 0.75}
    """

    error_code = 6


class CancelledError(OpError, RuntimeError):
    """Work was given up because somebody asked for that.

    TensorFlow's error 1. What is put into a closed queue raises it; else it is there for a
    program's own Python.

    >>> import treadle as tl, threading
    >>> stop = threading.Event()
    >>> def go_on():
    ...     if stop.is_set():
    ...         raise tl.errors.CancelledError("stopped by the user")
    >>> @tl.function
    ... def train(steps):
    ...     done = 0
    ...     for _ in tl.range(steps):
    ...         tl.py_function(go_on, [], None)
    ...         done += 1
    ...     return done
    >>> stop.set()
    >>> train(tl.constant(3))
    Traceback (most recent call last):
    ...
    treadle.graph.status_errors.CancelledError: stopped by the user

    The cure: take back what stopped it, or catch the error and end well.

    >>> stop.clear()
    >>> int(train(tl.constant(3)))
    3
    """

    error_code = 1


class DataLossError(OpError, OSError):
    """Stored data is damaged, or its end is missing.

    TensorFlow's error 15. No op of treadle raises it; it is there for a program's own Python.

    >>> import treadle as tl
    >>> def numbers(records):
    ...     for number, check in records:
    ...         if check != number % 7:
    ...             raise tl.errors.DataLossError(f"the record of {number} is damaged")
    ...         yield number
    >>> @tl.function
    ... def total(dataset):
    ...     return dataset.reduce(0, lambda sum, number: sum + number)
    >>> def dataset(*records):
    ...     spec = tl.TensorSpec([], tl.int32)
    ...     return tl.data.Dataset.from_generator(lambda: numbers(records), output_signature=spec)
    >>> total(dataset((8, 1), (12, 1)))
    Traceback (most recent call last):
    ...
    treadle.graph.status_errors.DataLossError: the record of 12 is damaged

    The cure: data that is whole.

    >>> int(total(dataset((8, 1), (12, 5))))
    20
    """

    error_code = 15


class PermissionDeniedError(OpError, PermissionError):
    """Somebody may not do what was asked for.

    TensorFlow's error 7. No op of treadle raises it; it is there for a program's own Python.
    What the operating system refuses is Python's own PermissionError, its base class.

    >>> import treadle as tl
    >>> weight = tl.Variable(1.0)
    >>> def change(user, value):
    ...     if user.numpy() != b"owner":
    ...         raise tl.errors.PermissionDeniedError("only the owner may change the weight")
    ...     weight.assign(value)
    >>> @tl.function
    ... def f(user, value):
    ...     tl.py_function(change, [user, value], None)
    ...     return weight + 0.0
    >>> f(tl.constant("reader"), tl.constant(2.0))
    Traceback (most recent call last):
    ...
    treadle.graph.status_errors.PermissionDeniedError: only the owner may change the weight

    The cure: somebody who may.

    >>> float(f(tl.constant("owner"), tl.constant(2.0)))
    2.0
    """

    error_code = 7


class UnknownError(OpError):
    """Something failed, and what tells of it has no class of its own.

    TensorFlow's error 2. No op of treadle raises it; it is there for a program's own Python. (There
    an exception of a `py_function` becomes one. Here it stays what it is.)

    >>> import treadle as tl
    >>> answers = [(0, 21.0), (17, 0.0)]
    >>> def ask():
    ...     status, value = answers.pop()
    ...     if status:
    ...         raise tl.errors.UnknownError(f"the instrument gives status {status}")
    ...     return value
    >>> @tl.function
    ... def read():
    ...     return tl.py_function(ask, [], tl.float32)
    >>> read()
    Traceback (most recent call last):
    ...
    treadle.graph.status_errors.UnknownError: the instrument gives status 17

    The cure lies with what failed; here, to ask once more.

    >>> float(read())
    21.0
    """


__all__ = [
    "AlreadyExistsError",
    "CancelledError",
    "DataLossError",
    "FailedPreconditionError",
    "InternalError",
    "NotFoundError",
    "OpError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "UnimplementedError",
    "UnknownError",
]
