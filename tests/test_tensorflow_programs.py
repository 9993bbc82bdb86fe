"""Programs as TensorFlow's guides have them print what they print with TensorFlow 2.21.

`tests/snapshots/tensorflow/` holds each program and what TensorFlow printed; `tl.` counts as `tf.`.
"""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pytest

import treadle as tl

PROGRAMS = sorted((Path(__file__).parent / "snapshots" / "tensorflow").glob("*.txt"))
SEPARATOR = "\n--- TensorFlow 2.21 prints\n"


@pytest.mark.filterwarnings("ignore")  # what a program is warned of is not printed
@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_prints_the_same(path: Path, tmp_path: Path) -> None:
    source, expected = path.read_text(encoding="utf-8").split(SEPARATOR)
    file = tmp_path / f"{path.stem}.py"
    file.write_text(source, encoding="utf-8")  # AutoGraph reads it
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        exec(compile(source, str(file), "exec"), {"__name__": path.stem, "tf": tl, "np": np})
    shown = re.sub(r"\b(?:tl|treadle)\.", "tf.", printed.getvalue())
    assert shown.rstrip().splitlines() == expected.rstrip().splitlines()
