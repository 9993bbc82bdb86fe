"""What TensorFlow calls experimental of AutoGraph."""

from .api import do_not_convert
from .control.loop_options import set_loop_options

__all__ = ["do_not_convert", "set_loop_options"]
