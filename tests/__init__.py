"""A package, so that it comes before the `tests` that a library for tests brings along."""
