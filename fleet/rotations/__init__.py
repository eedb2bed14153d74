"""Changes of cameras' passwords: sealed first, proved on every store of accounts, never guessed."""
