"""Text: what one can do with tensors of dtype string."""

from .graph.ops.string_formats import as_string, format, regex_full_match, regex_replace, to_number
from .graph.ops.string_pieces import (
    bytes_split,
    split,
    unicode_decode,
    unicode_encode,
    unicode_split,
)
from .graph.ops.strings import join, length, lower, reduce_join, strip, substr, upper

__all__ = [
    "as_string",
    "bytes_split",
    "format",
    "join",
    "length",
    "lower",
    "reduce_join",
    "regex_full_match",
    "regex_replace",
    "split",
    "strip",
    "substr",
    "to_number",
    "unicode_decode",
    "unicode_encode",
    "unicode_split",
    "upper",
]
