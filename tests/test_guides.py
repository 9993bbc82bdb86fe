from __future__ import annotations

from pathlib import Path

from guides import outcomes, still_listed


def test_the_worst_outcome_of_a_test_counts(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        "<testsuites><testsuite>"
        '<testcase classname="test_a" name="test_x[1]"/>'
        '<testcase classname="test_a" name="test_x[1]"><error>in its teardown</error></testcase>'
        '<testcase classname="test_a" name="test_y"><skipped/></testcase>'
        '<testcase classname="" name="test_b"><error>cannot be collected</error></testcase>'
        "</testsuite></testsuites>"
    )
    found = {"test_a::test_x[1]": "failed", "test_a::test_y": "skipped", "test_b": "failed"}
    assert outcomes(report) == found


def test_the_list_only_shrinks() -> None:
    listed = {"test_a::x", "test_a::y", "test_a::gone", "test_b", "test_c::z"}
    found = {
        "test_a::x": "passed",
        "test_a::y": "failed",
        "test_a::new": "failed",
        "test_b::one": "failed",  # test_b, once an entry as a whole, can be collected now
        "test_b::two": "passed",
        "test_c": "failed",
    }
    assert still_listed(listed, found) == {"test_a::y", "test_b::one", "test_c::z"}
