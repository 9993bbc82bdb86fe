"""The time of day."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ..build import apply
from ..dtypes import float64
from ..node import Tensor
from ..op import IO, batches, no_gradient
from ..spec import TensorSpec
from .define import primitive

_timestamp = primitive(
    "timestamp",
    lambda: TensorSpec([], float64),
    lambda xp: np.float64(time.time()),
    no_gradient,
    effects=(IO,),
)


def timestamp(name: str | None = None) -> Tensor:
    """Seconds since 1970 when the program gets here, a float64; in order with all io.

    >>> import treadle as tl
    >>> (tl.timestamp() > 1.7e9).numpy()
    np.True_
    """
    result: Tensor = apply(_timestamp, ())
    return result


# --- of a batch of examples ----------------------------------------------------------


@batches(_timestamp)
def _batched_timestamp(batch: Any, flags: Any) -> Any:
    """Once: all examples run at the same time."""
    return timestamp()
