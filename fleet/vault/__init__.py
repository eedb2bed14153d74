"""The vault: passwords of cameras, sealed under a master key."""
