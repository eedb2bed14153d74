"""Scans: assessments of an estate, and what each visit leaves behind."""
