"""Names that TensorFlow once had here: older guides use them."""

from __future__ import annotations

from typing import Any

from ..graph.streams import INFINITE as INFINITE_CARDINALITY
from ..graph.streams import UNKNOWN as UNKNOWN_CARDINALITY
from .dataset import AUTOTUNE, Dataset


def cardinality(dataset: Dataset) -> Any:
    """How many elements there are, an int64 scalar: -1 without end, -2 where not known.

    >>> import treadle as tl
    >>> int(tl.data.experimental.cardinality(tl.data.Dataset.range(3)))
    3
    """
    return dataset.cardinality()


def get_structure(dataset_or_iterator: Any) -> Any:
    """The `element_spec` of a dataset or iterator.

    >>> import treadle as tl
    >>> tl.data.experimental.get_structure(tl.data.Dataset.range(3))
    TensorSpec(shape=(), dtype=tl.int64, name=None)
    """
    return dataset_or_iterator.element_spec


__all__ = [
    "AUTOTUNE",
    "INFINITE_CARDINALITY",
    "UNKNOWN_CARDINALITY",
    "cardinality",
    "get_structure",
]
