"""Handlers: parse, ask the fleet one thing, draw."""
