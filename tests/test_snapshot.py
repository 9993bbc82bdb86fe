from __future__ import annotations

from pathlib import Path

import pytest
import snapshot
from snapshot import check_snapshot


def test_a_snapshot_is_written_on_update_and_compared_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "SNAPSHOTS", tmp_path)
    monkeypatch.delenv("UPDATE", raising=False)
    with pytest.raises(pytest.fail.Exception, match="UPDATE=1 rewrites it"):
        check_snapshot("passes/fold", "y = 3")
    monkeypatch.setenv("UPDATE", "1")
    check_snapshot("passes/fold", "y = 3")
    monkeypatch.delenv("UPDATE")
    check_snapshot("passes/fold", "y = 3\n")
    with pytest.raises(pytest.fail.Exception, match=r"-y = 3\n\+y = 4"):
        check_snapshot("passes/fold", "y = 4")
