"""Settings: devices, and running functions eagerly."""

from __future__ import annotations

from typing import Any, NamedTuple

from .graph.errors import InvalidArgumentError
from .graph.settings import functions_run_eagerly, run_functions_eagerly
from .runtime.device import DEVICES, PhysicalDevice, list_physical_devices


class LogicalDevice(NamedTuple):
    """A device that computations can be placed on."""

    name: str
    device_type: str


def list_logical_devices(device_type: str | None = None) -> list[LogicalDevice]:
    """The devices that `tl.device` takes, those of one type if asked.

    >>> import treadle as tl
    >>> tl.config.list_logical_devices()
    [LogicalDevice(name='/device:CPU:0', device_type='CPU')]
    """
    found = list_physical_devices(device_type)
    return [
        LogicalDevice(d.name.replace("physical_device", "device"), d.device_type) for d in found
    ]


def get_visible_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The devices that are used: all of them.

    >>> import treadle as tl
    >>> tl.config.get_visible_devices("GPU")
    []
    """
    return list_physical_devices(device_type)


def set_visible_devices(devices: Any, device_type: str | None = None) -> None:
    """Use just these devices. The CPU is always used: InvalidArgumentError for a list without it,
    ValueError for a device that this machine lacks.

    >>> import treadle as tl
    >>> tl.config.set_visible_devices([], "GPU")
    """
    given = (
        list(devices)
        if isinstance(devices, (list, tuple)) and not _is_device(devices)
        else [devices]
    )
    for d in given:
        if d not in DEVICES:
            raise ValueError(f"{d!r} is no device of this machine, which has {DEVICES}")
    if device_type in (None, "CPU") and not any(d.device_type == "CPU" for d in given):
        raise InvalidArgumentError("the CPU can't be left out")


def _is_device(value: Any) -> bool:
    return isinstance(value, PhysicalDevice)


# Names of TensorFlow 2.0, which its guides of then use.
experimental_run_functions_eagerly = run_functions_eagerly
experimental_functions_run_eagerly = functions_run_eagerly


class experimental:  # noqa: N801 - TensorFlow's name of a module
    """Names of TensorFlow 2.0 for what stands beside it now."""

    list_physical_devices = staticmethod(list_physical_devices)
    list_logical_devices = staticmethod(list_logical_devices)
    get_visible_devices = staticmethod(get_visible_devices)
    set_visible_devices = staticmethod(set_visible_devices)


__all__ = [
    "LogicalDevice",
    "PhysicalDevice",
    "experimental",
    "experimental_functions_run_eagerly",
    "experimental_run_functions_eagerly",
    "functions_run_eagerly",
    "get_visible_devices",
    "list_logical_devices",
    "list_physical_devices",
    "run_functions_eagerly",
    "set_visible_devices",
]
