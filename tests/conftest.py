import os

from hypothesis import settings

# Every graph is checked after tracing and after each pass; set before treadle is imported.
os.environ.setdefault("TREADLE_CHECK", "1")

# Timing on a shared machine says nothing; in CI the same examples are drawn each time.
settings.register_profile("treadle", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("treadle")
