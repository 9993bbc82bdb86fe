"""Input pipelines: `tl.data.Dataset`."""

from ..graph.location import register_internal
from ..graph.streams import INFINITE, UNKNOWN
from . import experimental
from .dataset import AUTOTUNE, Dataset, DatasetSpec
from .iterator import Iterator

INFINITE_CARDINALITY = INFINITE
UNKNOWN_CARDINALITY = UNKNOWN

register_internal(__file__)

__all__ = [
    "AUTOTUNE",
    "INFINITE_CARDINALITY",
    "UNKNOWN_CARDINALITY",
    "Dataset",
    "DatasetSpec",
    "Iterator",
    "experimental",
]
