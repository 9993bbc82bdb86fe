"""Gradients that a user registers for an op that has none."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import treadle as tl
from treadle.graph.gradients import registered

IMAGE = np.array([[[0.5], [0.1]], [[0.9], [0.7]]], np.float32)


@pytest.fixture(autouse=True)
def unregistered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered, "_registered", {})


def register() -> None:
    @tl.RegisterGradient("AdjustContrastv2")
    def contrast(op: Any, dy: Any) -> Any:
        image, factor = op.inputs
        mean = tl.reduce_mean(image, (-3, -2), keepdims=True)
        back = tl.reduce_mean(dy, (-3, -2), keepdims=True)
        return factor * dy + (1.0 - factor) * back, tl.reduce_sum(dy * (image - mean))


def by_hand(image: Any, factor: Any) -> Any:
    mean = tl.reduce_mean(image, (-3, -2), keepdims=True)
    return (image - mean) * factor + mean


def derivatives(adjust: Any, image: Any, factor: Any) -> Any:
    """Of first and second order."""
    with tl.GradientTape() as outer:
        outer.watch([image, factor])
        with tl.GradientTape() as tape:
            tape.watch([image, factor])
            y = tl.reduce_sum(adjust(image, factor) ** 3)
        first = tape.gradient(y, [image, factor])
        z = tl.reduce_sum(first[0] ** 2) + first[1]
    return [*first, *outer.gradient(z, [image, factor])]


def in_a_loop(adjust: Any) -> Any:
    def f(image: Any, factor: Any) -> Any:
        for _ in tl.range(3):
            if factor > 0.1:
                image = adjust(image, factor)
        return image

    return f


@pytest.mark.parametrize("way", [lambda f: f, tl.function], ids=["eager", "traced"])
@pytest.mark.parametrize("looped", [False, True])
def test_it_is_used_like_any_other(way: Any, looped: bool) -> None:
    register()
    wrap = in_a_loop if looped else lambda f: f
    x = tl.constant(IMAGE), tl.constant(0.3)
    got = way(lambda *x: derivatives(wrap(tl.image.adjust_contrast), *x))(*x)
    want = derivatives(wrap(by_hand), *x)
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g.numpy(), w.numpy(), rtol=1e-4)


def test_what_it_is_told_of_the_op() -> None:
    seen: list[Any] = []

    @tl.RegisterGradient("AdjustContrastv2")
    def note(op: Any, dy: Any) -> Any:
        seen.append((op.type, len(op.inputs), len(op.outputs), repr(op)))
        with pytest.raises(ValueError, match=re.escape("has no attribute 'T'")):
            op.get_attr("T")
        return dy, None

    x, factor = tl.Variable(IMAGE), tl.Variable(2.0)
    with tl.GradientTape() as tape:
        y = tl.image.adjust_contrast(x, factor)
    dx, dfactor = tape.gradient(y, [x, factor])
    assert dfactor is None
    np.testing.assert_array_equal(dx.numpy(), np.ones_like(IMAGE))
    name = "AdjustContrastv2"
    assert seen == [(name, 2, 1, f"<tl.Operation '{name}' type={name}>")]


def test_once_only() -> None:
    register()
    here = re.escape(f"already at {__file__}:")
    with pytest.raises(KeyError, match=rf"registered for the op 'AdjustContrastv2' {here}\d+"):
        register()
    for name in ("Sin", "while", "reduce_sum"):
        with pytest.raises(KeyError, match=f"the op '{name}' already: it is one of treadle's"):
            tl.RegisterGradient(name)


def test_wrong_results_and_arguments() -> None:
    tl.RegisterGradient("AdjustContrastv2")(lambda op, dy: dy)
    x = tl.Variable(IMAGE)
    with tl.GradientTape() as tape:
        y = tl.image.adjust_contrast(x, 2.0)
    with pytest.raises(ValueError, match="gives 1 gradients, the op has 2 inputs"):
        tape.gradient(y, x)
    with pytest.raises(TypeError, match="an op's name is needed, this is 3"):
        tl.RegisterGradient(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a function is needed, this is 3"):
        tl.RegisterGradient("Mine")(3)  # type: ignore[arg-type]
