"""The command line: the demo at work, and what bad arguments get."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import treadle as tl
from treadle import cli, demo


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "treadle", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_demo_learns_the_digits_and_shows_what_it_made() -> None:
    pytest.importorskip("sklearn", reason="the digits are scikit-learn's")
    done = run("demo", "--steps", "600", "--seed", "3")
    assert done.returncode == 0, done.stderr
    shown = done.stdout
    assert re.search(r"step \d+  loss [\d.]+", shown)  # progress
    assert "ag.while_stmt(loop_test, loop_body" in shown
    assert "def train(images, labels, most_steps, *, random_state" in shown
    (accuracy,) = re.findall(r"held-out accuracy\s+([\d.]+)", shown)
    assert float(accuracy) >= 0.95
    assert len(re.findall(r"one step, (?:eager|graph)\s+[\d.]+ ms", shown)) == 2
    assert re.search(r"traces of `train`\s+1\n", shown)


def test_a_seed_gives_the_same_training() -> None:
    pytest.importorskip("sklearn", reason="the digits are scikit-learn's")

    def trained() -> float:
        images, labels, *_ = demo.load_digits(5)
        tl.random.set_seed(5)
        _, loss = demo.train(demo.Network(), images, labels, tl.constant(60))
        return float(loss)

    assert trained() == trained()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["demo", "--steps", "0"], "0 is less than 1"),
        (["demo", "--steps", "many"], "'many' is not a whole number"),
        (["demo", "--speed", "3"], "unrecognized arguments"),
        (["dance"], "invalid choice"),
        ([], "required"),
    ],
)
def test_bad_arguments_get_one_line_and_exit_code_2(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert complaint in printed.err


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--help"])
    assert stopped.value.code == 0
    assert "demo" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    assert tl.__version__ in capsys.readouterr().out


def test_demo_without_scikit_learn(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    assert demo.main(10, 0) == 1
    assert capsys.readouterr().err == (
        "treadle demo needs scikit-learn: pip install 'treadle[demo]'\n"
    )
