"""Cameras that somebody expects: imported from a list, and compared with what visits found."""
