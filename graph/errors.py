"""The error classes. Each has one cause; TensorFlow's names also derive from the nearest built-in.

An error that an op raises is first an `OpError` with a message in terms of the op; the door
(`graph/build.py`) adds what the user wrote: the argument's text, file and line.
"""

from __future__ import annotations


class OpError(Exception):
    """Base of the errors that ops raise; `message` is the text, as in TensorFlow."""

    @property
    def message(self) -> str:
        return str(self.args[0]) if self.args else ""


class InvalidArgumentError(OpError, ValueError):
    """An op got a value, shape or dtype that it can't use."""


class ShapeError(InvalidArgumentError):
    """Shapes that do not fit together."""


class DTypeError(InvalidArgumentError, TypeError):
    """Dtypes that do not fit together; treadle, as TensorFlow, never promotes silently."""


class IndexOutOfRangeError(InvalidArgumentError, IndexError):
    """An index lies outside of the axis that it selects from."""


class AssertionFailedError(InvalidArgumentError, AssertionError):
    """An `assert` or `tl.debugging.assert_*` over tensors did not hold."""


class DivisionByZeroError(InvalidArgumentError, ZeroDivisionError):
    """An integer was divided by zero."""


class OutOfRangeError(OpError, IndexError):
    """An iterator has no more items."""


class NotFoundError(OpError, LookupError):
    """A named thing (file, key, device) does not exist."""


class AlreadyExistsError(OpError, ValueError):
    """A thing of this name exists already."""


class FailedPreconditionError(OpError, RuntimeError):
    """The state does not allow the op: a variable without a value, say."""


class UnimplementedError(OpError, NotImplementedError):
    """The op is not defined for these arguments."""


class InternalError(OpError, RuntimeError):
    """A fault of treadle itself; please report it."""


class CancelledError(OpError, RuntimeError):
    """The op was cancelled."""


class DataLossError(OpError, OSError):
    """Stored data is damaged or cut short."""


class PermissionDeniedError(OpError, PermissionError):
    """The operating system refused access."""


class ResourceExhaustedError(OpError, MemoryError):
    """Not enough memory."""


class UnknownError(OpError):
    """An error of unknown cause."""


class GraphCheckError(InternalError):
    """`check` found a graph that breaks a rule of the IR."""


class ParseError(ValueError):
    """The text of a graph does not parse; the message names line and column."""


class OperatorNotAllowedInGraphError(TypeError):
    """A symbolic tensor was used where Python needs its value now: `if x`, `bool(x)`, `int(x)`."""


class LeakedTensorError(TypeError, ValueError):
    """A symbolic tensor was used outside of the function whose trace made it."""


InaccessibleTensorError = LeakedTensorError


class SignatureError(ValueError, TypeError):
    """A call does not fit the function's parameters or its `input_signature`."""


class VariableCreationError(ValueError):
    """A traced function made a `Variable` on a call that is not its first."""


class UndefinedVariableError(ValueError):
    """A name is read that the branch or loop that ran left undefined."""


class LoopDtypeError(TypeError):
    """A loop variable changes its dtype."""


class LoopShapeError(ValueError):
    """A loop variable changes its shape."""


class BranchError(TypeError):
    """The branches of a tensor condition disagree about a value."""


class PythonLoopError(TypeError, NotImplementedError):
    """A Python loop is left by a tensor-valued `break` or `return`."""


class ConversionError(ValueError):
    """AutoGraph can't convert this construct."""


class GradientError(ValueError):
    """A gradient was asked for in a way that has no answer."""


class MissingGradientError(GradientError, LookupError):
    """An op without a gradient lies between target and source."""
