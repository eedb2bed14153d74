"""The frame around every test: each part is one file under tests/frame/, proved by test_frame_guards.py."""

pytest_plugins = [
    "tests.frame.offences",
    "tests.frame.sockets",
    "tests.frame.blocking",
    "tests.frame.leaks",
    "tests.frame.required",
    "tests.frame.postgresql",
    "tests.frame.forks",
    "tests.frame.order",
    "tests.frame.openbao",
]
