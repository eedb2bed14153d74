"""The golden picture beside a model: does this file, on this machine, still find what its manifest says."""

from pathlib import Path

from analytics_qa.detections import named
from analytics_qa.detector import Detector, Picture
from analytics_qa.errors import ModelError
from analytics_qa.matching import tally


def golden_picture_of(model: Path, detector: Detector) -> Path | None:
    """Where it lies, `None` for a model without one."""
    golden = detector.manifest.golden
    return model.parent / golden.picture if golden else None


def check_golden(detector: Detector, picture: Picture) -> None:
    """Raises ModelError where it finds anything but what it must find."""
    golden = detector.manifest.golden
    if golden is None:
        return
    true = named((one.name, 1.0, one.box) for one in golden.boxes)
    came_out = tally(detector.detect(picture), true)
    if came_out.missed or came_out.false:
        raise ModelError(
            f"{detector.name}: of the {len(true)} objects in its golden picture it missed {came_out.missed}, and it "
            f"found {came_out.false} that are not there: colour order, scale or layout in its manifest may be wrong"
        )
