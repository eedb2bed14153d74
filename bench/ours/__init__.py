"""Our side of a comparison, as programs of their own."""
