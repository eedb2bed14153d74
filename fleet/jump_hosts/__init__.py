"""Jump hosts: sites whose cameras are reached through an SSH server that stands there."""
