"""Optimizers: modules that change variables by their gradients. The formulas are those of Keras."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .autograph import operators as ag
from .graph.build import convert, is_tracing
from .graph.dtypes import int64
from .graph.errors import GradientError
from .graph.indexed_slices import IndexedSlices
from .graph.node import Reference, Tensor
from .graph.ops.arithmetic import multiply
from .graph.ops.casting import cast
from .graph.ops.division import maximum, power
from .graph.ops.exponential import sqrt
from .graph.ops.shaping import zeros, zeros_like
from .module import Module
from .runtime import GradientTape, Variable


class Optimizer(Module):
    """Base class of optimizers; a subclass says in `update` what a step does to one variable.

    `learning_rate` and `iterations` (the number of steps so far) are variables. What an optimizer
    keeps for each variable it makes where it first sees it, in the first call of a function too.
    """

    def __init__(self, learning_rate: Any, name: str | None = None) -> None:
        super().__init__(name)
        self.iterations = Variable(0, dtype=int64, trainable=False, name="iterations")
        rate = convert(learning_rate)
        rate = rate if rate.dtype.is_floating else cast(rate, "float32")
        self._learning_rate = Variable(rate, trainable=False, name="learning_rate")
        # References to the variables met, which are not the optimizer's own, in the order of
        # `_slots`. A variable that is an argument of a function is another object there.
        self._seen: list[Reference] = []
        self._slots: list[list[Variable]] = []

    @property
    def learning_rate(self) -> Variable:
        """The factor of a step; a number that is set is assigned."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._learning_rate.assign(value)

    def slots(self) -> Sequence[str]:
        """The names of what is kept for each variable."""
        return ()

    def update(self, gradient: Any, variable: Variable, rate: Tensor, kept: Sequence[Any]) -> None:
        """Change `variable` by its gradient; `kept` are its variables, in the order of `slots`."""
        raise NotImplementedError("a subclass of tl.optimizers.Optimizer defines update()")

    def build(self, var_list: Iterable[Variable]) -> None:
        """Make what is kept for each of these variables, where it is not there yet."""
        names = self.slots()
        for v in var_list:
            if self._place(v) is None:
                made = [_slot(v, name) for name in names]
                self._seen.append(v.ref())
                self._slots.append(made)

    def _place(self, variable: Variable) -> int | None:
        state = variable._value
        return next((i for i, r in enumerate(self._seen) if r.deref()._value is state), None)

    def apply_gradients(
        self, grads_and_vars: Iterable[tuple[Any, Variable]], name: str | None = None
    ) -> Variable:
        """Take one step: pairs of a gradient (a tensor or IndexedSlices) and its variable.

        Pairs without a gradient, None, are left out. Gives `iterations`. Raises ValueError where no
        pair has a gradient, GradientError (a ValueError) where dtype or shape of one do not fit.

        >>> import treadle as tl
        >>> v, optimizer = tl.Variable(1.0), tl.optimizers.SGD(0.1)
        >>> optimizer.apply_gradients([(tl.constant(5.0), v)]).numpy(), v.numpy()
        (np.int64(1), np.float32(0.5))
        """
        pairs = list(grads_and_vars)
        given = [(g, v) for g, v in pairs if g is not None]
        if not given:
            names = ", ".join(v.name for _, v in pairs)
            raise ValueError(
                f"no gradients are given for any variable ({names or 'there are none'}); "
                "tape.why_none(loss, variable) tells why there is none"
            )
        checked = [(_checked(g, v), v) for g, v in given]
        self.build([v for _, v in checked])
        rate = self.learning_rate.read_value()
        for g, v in checked:
            place = self._place(v)
            assert place is not None
            self.update(g, v, cast(rate, v.dtype), self._slots[place])
            if v.constraint is not None:
                v.assign(v.constraint(v))
        self.iterations.assign_add(1)
        return self.iterations

    def minimize(
        self, loss: Any, var_list: Iterable[Variable], tape: GradientTape | None = None
    ) -> Variable:
        """Take one step down: `loss` is a function without arguments, or what `tape` saw computed.

        Raises ValueError for a tensor without the tape.

        >>> import treadle as tl
        >>> v, optimizer = tl.Variable(3.0), tl.optimizers.SGD(0.25)
        >>> for _ in range(3):
        ...     _ = optimizer.minimize(lambda: v * v, [v])
        >>> v.numpy()
        np.float32(0.375)
        """
        variables = list(var_list)
        if callable(loss) and not isinstance(loss, (Tensor, Variable)):
            function: Callable[[], Any] = ag.call(loss) if is_tracing() else loss
            with tape or GradientTape(watch_accessed_variables=False) as own:
                own.watch(variables)
                value = function()
            tape = own
        elif tape is None:
            raise ValueError("a loss that is a tensor needs the tape that saw it computed: tape=")
        else:
            value = loss
        grads = tape.gradient(value, variables)
        return self.apply_gradients(zip(grads, variables, strict=True))


class SGD(Optimizer):
    """Gradient descent, with momentum on request.

    `velocity = momentum * velocity - learning_rate * g; v += velocity`; with `nesterov`
    `v += momentum * velocity - learning_rate * g`. Of IndexedSlices only the rows are changed,
    without momentum. Raises ValueError for a momentum that is not in [0, 1].

    >>> import treadle as tl
    >>> v, optimizer = tl.Variable([1.0, 2.0]), tl.optimizers.SGD(0.1, momentum=0.5)
    >>> for _ in range(2):
    ...     _ = optimizer.apply_gradients([(tl.constant([1.0, 0.0]), v)])
    >>> v.numpy()
    array([0.75, 2.  ], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, name)
        if not 0 <= momentum <= 1:
            raise ValueError(f"the momentum is a number between 0 and 1, not {momentum}")
        self.momentum = momentum
        self.nesterov = nesterov

    def slots(self) -> Sequence[str]:
        return ("momentum",) if self.momentum else ()

    def update(self, gradient: Any, variable: Variable, rate: Tensor, kept: Sequence[Any]) -> None:
        if not self.momentum:
            if isinstance(gradient, IndexedSlices):
                rows = multiply(gradient.values, rate)
                variable.scatter_sub(IndexedSlices(rows, gradient.indices, gradient.dense_shape))
            else:
                variable.assign_sub(multiply(gradient, rate))
            return
        step = multiply(convert(gradient), rate)
        velocity = multiply(kept[0], self.momentum) - step
        kept[0].assign(velocity)
        variable.assign_add(velocity * self.momentum - step if self.nesterov else velocity)


class Adam(Optimizer):
    """Steps by running means of the gradient and of its square.

    `m += (1 - beta_1) * (g - m); u += (1 - beta_2) * (g * g - u)`, then
    `v -= learning_rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(u) + epsilon)` in step
    t. With `amsgrad` the largest `u` so far stands in its place. Raises ValueError for a beta that
    is not in [0, 1).

    >>> import treadle as tl
    >>> v, optimizer = tl.Variable([1.0, 2.0]), tl.optimizers.Adam(0.1)
    >>> _ = optimizer.apply_gradients([(tl.constant([3.0, 0.0]), v)])
    >>> v.numpy().round(4)
    array([0.9, 2. ], dtype=float32)
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        name: str | None = None,
    ) -> None:
        super().__init__(learning_rate, name)
        for what, beta in (("beta_1", beta_1), ("beta_2", beta_2)):
            if not 0 <= beta < 1:
                raise ValueError(f"{what} is a number of at least 0 and less than 1, not {beta}")
        self.beta_1, self.beta_2 = beta_1, beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad

    def slots(self) -> Sequence[str]:
        return ("m", "u", "largest_u") if self.amsgrad else ("m", "u")

    def update(self, gradient: Any, variable: Variable, rate: Tensor, kept: Sequence[Any]) -> None:
        g = convert(gradient)
        t = cast(self.iterations.read_value() + 1, variable.dtype)
        scale = rate * sqrt(1 - power(self.beta_2, t)) / (1 - power(self.beta_1, t))
        m, u = kept[0].read_value(), kept[1].read_value()
        m = m + (g - m) * (1 - self.beta_1)
        u = u + (g * g - u) * (1 - self.beta_2)
        kept[0].assign(m)
        kept[1].assign(u)
        if self.amsgrad:
            u = maximum(kept[2], u)
            kept[2].assign(u)
        variable.assign_sub(scale * m / (sqrt(u) + self.epsilon))


def _slot(variable: Variable, name: str) -> Variable:
    shape, stem = variable.shape, variable.name.partition(":")[0]
    known = shape.is_fully_defined()
    start = zeros(shape, variable.dtype) if known else zeros_like(variable)
    return Variable(start, trainable=False, shape=shape, name=f"{stem}/{name}")


def _checked(gradient: Any, variable: Variable) -> Any:
    if not isinstance(variable, Variable):
        raise TypeError(f"a pair is a gradient and its tl.Variable, not {variable!r}")
    if isinstance(gradient, IndexedSlices):
        g: Any = gradient
        fits = g.dtype is variable.dtype and variable.shape[1:].is_compatible_with(g.shape[1:])
    else:
        g = convert(gradient, hint=variable.dtype)
        fits = g.dtype is variable.dtype and variable.shape.is_compatible_with(g.shape)
    if not fits:
        raise GradientError(
            f"the gradient of '{variable.name}' has dtype {g.dtype.name} and shape {g.shape}, the "
            f"variable {variable.dtype.name} and {variable.shape}"
        )
    return g


__all__ = ["SGD", "Adam", "Optimizer"]
