"""What an assessment looks like on paper: one module per format, each a pure function from `Assessment` to text."""
