"""Benchmarks: each measures us beside a peer or a limit, in one run, against our own simulated estate on loopback."""
