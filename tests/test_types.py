"""What type checkers see of traced functions and methods."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("graph", "runtime", "autograph", "tracer")

PROGRAM = """\
from typing import Any
import treadle as tl

@tl.function
def plain(x: tl.Tensor, k: int = 2) -> int:
    return k

@tl.function(reduce_retracing=True)
def with_options(x: tl.Tensor) -> str:
    return ""

class Model:
    @tl.function
    def step(self, x: tl.Tensor, k: int = 2) -> int:
        return k

    @tl.function(autograph=False)
    def __call__(self, x: tl.Tensor) -> str:
        return ""

    @staticmethod
    @tl.function
    def static(x: tl.Tensor) -> int:
        return 1

    @classmethod
    @tl.function
    def of_class(cls, x: tl.Tensor) -> int:
        return 1

    @tl.function
    def untyped(self, x: Any) -> Any:
        return x

class Larger(Model):
    pass

x: tl.Tensor = tl.constant(1)
model = Larger()
reveal_type(plain)  # Function[[x: Tensor, k: int =], int]
reveal_type(plain(x))  # int
reveal_type(with_options(x))  # str
reveal_type(model.step)  # BoundFunction[[x: Tensor, k: int =], int]
reveal_type(model.step(x, k=3))  # int
reveal_type(Model.step(model, x))  # int
reveal_type(model(x))  # str
reveal_type(model.static(x))  # int
reveal_type(Model.static(x))  # int
reveal_type(model.of_class(x))  # int
reveal_type(Model.of_class(x))  # int
reveal_type(model.untyped(x))  # Any
reveal_type(model.step.get_concrete_function(x))  # ConcreteFunction
plain("no")  # error: incompatible type "str"; expected "Tensor"
plain(x, k="no")  # error: incompatible type "str"; expected "int"
model.step("no")  # error: incompatible type "str"; expected "Tensor"
model.step(x, "no")  # error: incompatible type "str"; expected "int"
model.step()  # error: Missing positional argument "x"
model(3)  # error: incompatible type "int"; expected "Tensor"
"""


@pytest.mark.slow
def test_signatures_are_seen_by_mypy(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    package = tmp_path / "treadle"
    package.mkdir()
    floors = [ROOT / name for name in FLOORS]
    for part in [*(ROOT / "treadle").iterdir(), *floors]:
        (package / part.name).symlink_to(part)
    (tmp_path / "program.py").write_text(PROGRAM)
    options = ["--config-file", ROOT / "pyproject.toml", "--cache-dir", ROOT / ".mypy_cache"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, "program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    said = dict(re.findall(r"^program\.py:(\d+): (?:note: )?(.*)$", done.stdout, re.MULTILINE))
    for number, line in enumerate(PROGRAM.splitlines(), 1):
        found = said.get(str(number), "")
        shown = re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", found).removeprefix("Revealed type is ")
        wanted = line.partition("  # ")[2]
        if line.startswith("reveal_type"):
            assert shown == f'"{wanted}"', line
        else:
            assert wanted.removeprefix("error: ") in shown, line
            assert bool(wanted) == bool(shown), line
