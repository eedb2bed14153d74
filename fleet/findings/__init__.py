"""Findings: failed verdicts with a life, judged, accepted, proved and judged again."""
