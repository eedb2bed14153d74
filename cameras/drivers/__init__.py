"""One class per camera family. One method is one question or one change."""
