"""Devices. Import touches none; today there is the CPU."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from ..graph.errors import InvalidArgumentError

CPU = "/job:localhost/replica:0/task:0/device:CPU:0"
_NAME = re.compile(
    r"(?:/job:\w+)?(?:/replica:\d+)?(?:/task:\d+)?/?(?:device:)?(CPU|GPU)(?::(\d+|\*))?",
    re.IGNORECASE,
)
_current: ContextVar[str] = ContextVar("device", default=CPU)


class PhysicalDevice(NamedTuple):
    """A device of this machine."""

    name: str
    device_type: str


def current_device() -> str:
    return _current.get()


@contextmanager
def device(name: Any) -> Iterator[None]:
    """Place what is computed inside on the device `name`: "CPU:0", "/CPU:0", "/device:CPU:0".

    None keeps the present one. Raises InvalidArgumentError for a name that is none, or a device
    that this machine lacks.

    >>> import treadle as tl
    >>> with tl.device("/CPU:0"):
    ...     x = tl.constant(1.0)
    >>> x.device
    '/job:localhost/replica:0/task:0/device:CPU:0'
    """
    if name is None:
        yield
        return
    match = _NAME.fullmatch(str(name))
    if match is None:
        raise InvalidArgumentError(f"{name!r} is not the name of a device; write '/CPU:0'")
    kind, index = match.group(1).upper(), match.group(2) or "0"
    if kind != "CPU" or index not in ("0", "*"):
        raise InvalidArgumentError(
            f"there is no device {name!r}; this machine has {', '.join(d.name for d in DEVICES)}"
        )
    token = _current.set(CPU)
    try:
        yield
    finally:
        _current.reset(token)


DEVICES = [PhysicalDevice("/physical_device:CPU:0", "CPU")]


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices of this machine, those of one type if asked: "CPU", "GPU".

    >>> import treadle as tl
    >>> tl.config.list_physical_devices("CPU")
    [PhysicalDevice(name='/physical_device:CPU:0', device_type='CPU')]
    """
    return [d for d in DEVICES if device_type in (None, d.device_type)]
