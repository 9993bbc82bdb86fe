"""The message of a refusal, with lines counted from the function's first one."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import treadle as tl


def refused(f: Callable[..., Any], error: type[Exception], *args: Any) -> str:
    """The message, with lines counted from that of `def`: `:+2`."""
    with pytest.raises(error) as e:
        tl.function(f)(*args)
    lines, first = inspect.getsourcelines(f)
    first += next((i for i, text in enumerate(lines) if text.lstrip().startswith("def ")), 0)
    text, file = str(e.value), Path(f.__code__.co_filename).name
    for number in range(40, -1, -1):
        text = text.replace(f"{file}:{first + number}", f":+{number}")
    return text
