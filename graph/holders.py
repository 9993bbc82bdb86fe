"""What of the user's holds a value: for messages about values that left their trace."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from .location import is_internal
from .spec import TensorShape


def container_of(value: Any) -> str:
    """How the user's code reaches `value`: `item 0 of the list 'kept'`, or ''."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        for name, held in (*frame.f_locals.items(), *frame.f_globals.items()):
            if isinstance(held, (list, tuple)) and not isinstance(held, TensorShape):
                for i, item in enumerate(held):
                    if item is value and not name.startswith("_") and _user_owned(frame):
                        return f"item {i} of the {type(held).__name__} '{name}'"
            elif isinstance(held, dict) and _user_owned(frame):
                for key, item in list(held.items()):
                    if item is value and held is not frame.f_globals and held is not frame.f_locals:
                        return f"item {key!r} of the dict '{name}'"
            elif hasattr(held, "__dict__") and _user_owned(frame) and not isinstance(held, type):
                for key, item in list(vars(held).items()):
                    if item is value and type(held).__name__ != "module":
                        return f"the attribute '{key}' of '{name}'"
        frame = frame.f_back
    return ""


def _user_owned(frame: FrameType) -> bool:
    return not is_internal(frame.f_code.co_filename)
