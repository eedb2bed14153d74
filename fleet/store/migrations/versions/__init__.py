"""One module per change, never edited after a release."""
