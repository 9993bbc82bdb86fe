"""`tape.why_none`: where the path from a source to a target ends."""

from __future__ import annotations

import gc
import re
import weakref
from typing import Any

import numpy as np
import pytest

import treadle as tl

WAYS = pytest.mark.parametrize("way", [lambda f: f, tl.function], ids=["eager", "traced"])


@tl.custom_gradient
def first_only(x: Any, y: Any) -> Any:
    return x * y, lambda dz: (dz * y, None)


@tl.function
def stopping(x: Any) -> Any:
    y = x * 2.0
    return tl.stop_gradient(y) * 3.0, y


def stops(x: Any) -> Any:
    return tl.stop_gradient(x * 2.0) * 3.0  # the line


def casts(x: Any) -> Any:
    y = tl.cast(x * 2.0, tl.int32)  # the line
    return tl.cast(y + 1, tl.float32) * 2.0


def compares(x: Any) -> Any:
    y = x > 1.0  # the line
    return tl.where(y, 2.0, 3.0)


def floors(x: Any) -> Any:
    y = tl.floor(x)  # the line
    return y * 2.0


def takes_the_largest(x: Any) -> Any:
    y = tl.argmax(tl.stack([x, 2.0]))  # the line
    return tl.cast(y, tl.float32)


def given_none(x: Any) -> Any:
    y = first_only(tl.constant(2.0), x)  # the line
    return y * 2.0


def in_a_loop(x: Any) -> Any:
    y = tl.constant(1.0)
    for _ in tl.range(2):
        if y > 0.0:
            z = tl.round(x * 2.0)  # the line
            y = y * z + 1.0
    return y


def in_a_branch(x: Any) -> Any:
    y = x * 2.0
    if x > 1.0:
        y = tl.sign(y)  # the line
    else:
        y = tl.zeros([])
    return y


def in_a_function(x: Any) -> Any:
    return stopping(x * 1.0)[0] + 1.0


CASES = [
    (stops, "tl.stop_gradient ends the path at LINE"),
    (casts, "the cast to int32 at LINE ends the path: only floats have gradients"),
    (compares, "'greater' at LINE gives bool, and only floats have gradients"),
    (floors, "'floor' at LINE has no gradient: its result does not change smoothly"),
    (takes_the_largest, "'argmax' at LINE gives int64, and only floats have gradients"),
    (given_none, "the gradient function of what is called at LINE gives None for it"),
    (in_a_loop, "'round' at LINE has no gradient: its result does not change smoothly"),
    (in_a_branch, "'sign' at LINE has no gradient: its result does not change smoothly"),
    (in_a_function, "tl.stop_gradient ends the path at OTHER"),
]


@WAYS
@pytest.mark.parametrize("persistent", [False, True])
@pytest.mark.parametrize(("program", "want"), CASES)
def test_where_it_ends(way: Any, persistent: bool, program: Any, want: str) -> None:
    told: list[str] = []

    def run(x: Any) -> Any:
        with tl.GradientTape(persistent=persistent) as tape:
            tape.watch(x)
            y = program(x)
        if persistent:
            tape.gradient(y, x, unconnected_gradients="zero")
        assert tape.gradient(y, x) is None
        told.append(tape.why_none(y, x))
        return y

    way(run)(tl.constant(1.5))
    line = r"test_why_none.py:\d+: .*  # the line"
    other = r"test_why_none.py:\d+: return tl.stop_gradient\(y\) \* 3.0, y"
    pattern = re.escape(want).replace("LINE", line).replace("OTHER", other)
    assert re.fullmatch(pattern, told[-1]), told[-1]


@WAYS
def test_a_path_that_goes_around(way: Any) -> None:
    """Only what ends every way is to blame."""

    def run(x: Any) -> Any:
        with tl.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = tl.floor(x) + x * 2.0
            z = stopping(x)[1]
        assert tape.gradient(y, x) is not None
        told.extend([tape.why_none(y, x), tape.why_none(z, x), tape.why_none(x, x)])
        return y

    told: list[str] = []
    way(run)(tl.constant(1.5))
    leads = "a path of ops with gradients leads from the source to the target"
    assert told[:2] == [leads, leads]
    assert told[2] == "the source is the target itself: the gradient is 1, it is not None"


@WAYS
def test_state(way: Any) -> None:
    v, told = tl.Variable(1.0, name="v"), []

    def run(x: Any) -> Any:
        with tl.GradientTape() as tape:
            tape.watch(x)
            v.assign_add(x * 2.0)  # the line
            y = v * v
        assert tape.gradient(y, x) is None
        told.append(tape.why_none(y, x))
        return y

    way(run)(tl.constant(1.5))
    assert re.fullmatch(
        r"the path goes through state: 'v:0' is changed at test_why_none.py:\d+: "
        r"v.assign_add\(x \* 2.0\)  # the line. State keeps values, not how they were computed: "
        "use the tensor itself",
        told[-1],
    )


def test_numpy_and_state_that_is_not_watched() -> None:
    x, fixed = tl.Variable(2.0), tl.Variable(1.0, name="fixed", trainable=False)
    with tl.GradientTape() as tape:
        y = x * 3.0
        fixed.assign(y)
        z = tl.constant(y.numpy() + float(y)) * 2.0 + fixed
    assert tape.gradient(z, x) is None
    told = tape.why_none(z, x)
    assert told.startswith("nothing that the tape has recorded leads from the source to the target")
    assert "leaves its sight here: numpy() at test_why_none.py:" in told
    assert "; float() at test_why_none.py:" in told
    assert "; 'fixed:0' is changed at test_why_none.py:" in told
    with tl.GradientTape() as tape:
        y = x * 3.0
        with pytest.warns(UserWarning, match="is a step in NumPy"):
            z = np.mean(y)
    assert tape.gradient(z, x) is None
    assert "leaves its sight here: np.mean" in tape.why_none(z, x)


def test_what_is_not_watched() -> None:
    x, n = tl.constant(2.0), tl.constant(3)
    v, fixed = tl.Variable(1.0, name="v"), tl.Variable(1.0, name="fixed", trainable=False)
    unread = tl.Variable(1.0, name="unread")
    for watched in (True, False):
        with tl.GradientTape(watch_accessed_variables=watched) as tape:
            y = x * v * fixed * tl.cast(n, tl.float32)
        for asked in (False, True):
            if asked:
                tape.gradient(y, v)
            assert "call tape.watch(...) on it before it is used" in tape.why_none(y, x)
            assert "'fixed:0' was made with trainable=False" in tape.why_none(y, fixed)
            assert tape.why_none(y, n).startswith("the source has dtype int32")
            assert tape.why_none(n, v).startswith("the target has dtype int32")
            told = tape.why_none(y, unread), tape.why_none(y, v)
            if watched:
                assert told[0] == "the variable 'unread:0' was not read while the tape recorded"
            else:
                assert "'v:0' is not watched, since the tape has watch_accessed_var" in told[1]
    assert tape.why_none(3.0, v).startswith("the target 3.0 is no tensor")
    with pytest.raises(tl.errors.GradientError, match=r"the source 3\.0 is not a tensor"):
        tape.why_none(y, 3.0)


def test_what_was_run_elsewhere() -> None:
    x = tl.constant(2.0)
    before = x * x
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = x * 3.0
        with tape.stop_recording():
            hidden = y * 2.0
    for target in (before, hidden, y * 5.0):
        assert tape.why_none(target, x).endswith("or inside of stop_recording is not recorded")
    tape.gradient(y, x)
    for target in (before, hidden, y * 5.0):
        assert tape.why_none(target, x).endswith("or inside of stop_recording is not recorded")


def test_only_names_and_lines_stay() -> None:
    x = tl.constant(np.ones(1000))
    with tl.GradientTape() as tape:
        tape.watch(x)
        y = tl.floor(x * 2.0)
        gone = [weakref.ref(y), weakref.ref(x)]
        z = y * 3.0
    assert tape.gradient(z, x) is None
    del y
    gc.collect()
    assert gone[0]() is None
    assert "'floor' at" in tape.why_none(z, x)
    # Another tensor in the place of one that is gone is not taken for it.
    for other in [tl.constant(np.ones(1000)) for _ in range(50)]:
        assert tape.why_none(other, x).startswith("nothing that the tape has recorded")
    del x
    gc.collect()
    assert gone[1]() is None
