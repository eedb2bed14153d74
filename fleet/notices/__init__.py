"""Telling somebody: an outbox in the store, and the ways out of it (mail, a signed webhook)."""
