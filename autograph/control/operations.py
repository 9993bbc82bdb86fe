"""What is done with one of several objects that a tensor chose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Operations:
    """What is done with each option on its own path; set by `calls/choosing.py`."""

    select: Callable[[Any, Callable[[Any], Any]], Any]
    read: Callable[[Any, str], Any]
    changing: Callable[[Any], Any]  # tells that an object changes
    assign: Callable[[Any, str, Any], None]
    call: Callable[..., Any]
    item: Callable[[Any, Any], Any]
    set_item: Callable[[Any, Any, Any], None]
    del_item: Callable[[Any, Any], None]
    ended: Callable[[BaseException], Any]
    show: Callable[[Any, Callable[[Any], Any]], str]  # in a text with symbolic tensors in it
