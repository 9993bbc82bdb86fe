"""`TREADLE_DEBUG` shows each stage on stderr."""

from __future__ import annotations

from typing import Any

import pytest

import treadle as tl


@pytest.mark.parametrize(
    ("level", "shown", "hidden"),
    [
        (0, [], ["treadle:", "def f"]),
        (1, ["treadle: tracing f(x="], ["def f"]),
        (2, ["ag.if_stmt(x > 0", "f: simplify: "], ["# f(x: f32[]) -> f32[]"]),
        (3, ["# f(x: f32[]) -> f32[]"], ["return (v"]),
        (4, ["# f(x: f32[]) -> f32[]", "    return (v"], []),
    ],
)
def test_levels(
    level: int,
    shown: list[str],
    hidden: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TREADLE_DEBUG", str(level))

    @tl.function
    def f(x: Any) -> Any:
        if x > 0:
            x = x * 2.0
        return x

    assert f(tl.constant(2.0)).numpy() == 4.0
    text = capsys.readouterr().err
    assert [part for part in shown if part not in text] == []
    assert [part for part in hidden if part in text] == []
