"""What can go wrong while accuracy is judged, named for what the operator does next.

    AnalyticsError
    ├── ModelError       give another model file, or correct its manifest; the text says what does not fit
    ├── DetectionsError  correct the file of detections or of truth; the text names the place
    └── GoldenError      the golden clip is not what was approved; import it again

onnxruntime, OpenCV, pydantic and PyYAML stop here. The texts are fit to be shown.
"""


class AnalyticsError(Exception):
    """Accuracy cannot be judged with what was given."""


class ModelError(AnalyticsError):
    """A detector cannot be used: its file, its manifest, or the two together."""


class DetectionsError(AnalyticsError):
    """Detections, or the truth beside them, that cannot be meant as they stand."""


class GoldenError(AnalyticsError):
    """A golden clip whose frames are missing or are not those that were approved."""
