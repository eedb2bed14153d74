"""Rollouts: firmware and apps brought to many cameras, first to few, each proved and taken back where it fails."""
