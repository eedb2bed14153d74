"""Talk to one camera: connections, drivers, and the typed facts it can answer with. Knows nobody above it."""
