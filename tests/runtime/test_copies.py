"""Copies, pickles and forks of tensors, variables and modules."""

from __future__ import annotations

import copy
import os
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import treadle as tl

COPIES: list[Callable[[Any], Any]] = [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
c = tl.constant


class Model(tl.Module):
    def __init__(self) -> None:
        super().__init__(name="model")
        self.w = tl.Variable([1.0, 2.0], name="w")
        self.tied = [self.w, {"b": tl.Variable(3, trainable=False, name="b")}]
        self.scale = c(2.0)

    @tl.function
    def __call__(self, x: Any) -> Any:
        return self.w * x * self.scale


class Plain(tl.Module):  # can be pickled: its functions are made elsewhere
    def __init__(self) -> None:
        self.w = tl.Variable([1.0, 2.0], name="w")
        self.tied = [self.w, {"b": tl.Variable(3, trainable=False, name="b")}]


@pytest.mark.parametrize("copied", COPIES)
def test_tensors(copied: Callable[[Any], Any]) -> None:
    for x in (c([1.0, 2.0]), c(["a", "bc"]), c(True)):
        y = copied(x)
        assert (y.dtype, y.numpy().tolist()) == (x.dtype, x.numpy().tolist())


@pytest.mark.parametrize("copied", COPIES)
def test_variables_are_independent(copied: Callable[[Any], Any]) -> None:
    with tl.name_scope("scope"):
        v = tl.Variable([1.0], trainable=False, name="v", shape=[None], constraint=abs)
    with tl.name_scope("another"):
        w = copied(v)
    assert (w.name, w.trainable, w.dtype, w.shape) == (v.name, False, v.dtype, v.shape)
    assert w.constraint is abs
    w.assign([5.0, 6.0])
    assert v.numpy().tolist() == [1.0]
    v.assign_add([1.0])
    assert w.numpy().tolist() == [5.0, 6.0]


@pytest.mark.parametrize("copied", COPIES)
def test_modules_keep_what_is_shared(copied: Callable[[Any], Any]) -> None:
    model = Plain()
    other = copied(model)
    assert other.tied[0] is other.w is not model.w
    other.w.assign([7.0, 8.0])
    assert model.w.numpy().tolist() == [1.0, 2.0]
    assert [v.name for v in other.variables] == [v.name for v in model.variables]
    assert other.name == "plain"


def test_a_copied_module_traces_anew() -> None:
    model = Model()
    x = c([1.0, 1.0])
    assert model(x).numpy().tolist() == [2.0, 4.0]
    other = copy.deepcopy(model)
    other.w.assign([0.0, 1.0])
    assert other(x).numpy().tolist() == [0.0, 2.0]
    assert model(x).numpy().tolist() == [2.0, 4.0]


def test_symbolic_ones_say_why_not() -> None:
    v = tl.Variable(1.0, name="v")

    def refusal(act: Callable[[Any], Any], kind: type[Exception]) -> str:
        with pytest.raises(kind) as caught:
            tl.function(lambda x: act(x), autograph=False)(c(1.0))
        return str(caught.value)

    assert refusal(pickle.dumps, TypeError) == (
        "a symbolic tensor (f32[]) has no value that could be pickled or copied to another "
        "process: return it from the function, and pickle the result"
    )

    def pickled(x: Any) -> Any:
        return pickle.dumps(v)

    line = pickled.__code__.co_firstlineno + 1
    assert refusal(pickled, tl.errors.VariableCreationError) == (
        f"the variable 'v:0' can't be pickled at test_copies.py:{line}: return pickle.dumps(v), "
        "while a function is traced: its value is that of the run. Do so outside of the function"
    )
    assert "can't be copied" in refusal(lambda x: copy.deepcopy(v), tl.errors.VariableCreationError)
    tl.function(lambda x: copy.deepcopy({"x": x})["x"])(c(1.0))  # never changes: it is its own copy


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_forks_go_on_with_a_state_of_their_own() -> None:
    model = Model()
    assert model(c([1.0, 1.0])).numpy().tolist() == [2.0, 4.0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            model.w.assign([3.0, 3.0])
            good = model(c([1.0, 1.0])).numpy().tolist() == [6.0, 6.0]
            good &= tl.function(lambda x: x + model.w)(c([1.0, 1.0])).numpy().tolist() == [4, 4]
            os._exit(0 if good else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert model.w.numpy().tolist() == [1.0, 2.0]
