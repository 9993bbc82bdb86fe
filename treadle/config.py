"""Settings: devices, and running functions eagerly."""

from .runtime.device import PhysicalDevice, list_physical_devices
from .tracer.function import functions_run_eagerly, run_functions_eagerly

list_logical_devices = list_physical_devices

__all__ = [
    "PhysicalDevice",
    "functions_run_eagerly",
    "list_logical_devices",
    "list_physical_devices",
    "run_functions_eagerly",
]
