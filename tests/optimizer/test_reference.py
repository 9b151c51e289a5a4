from __future__ import annotations

from carrel.optimizer.reference import ReferenceData


def test_reference_data_holds_thresholds_and_classes() -> None:
    found = ReferenceData.load()
    assert found.thresholds
    assert found.classes.class_of("gpt-4o") is not None
