"""One durable queue of work: what is to be done is a stored row with a state, and a runner carries it out.

`states` says what may follow what, `queue` is what people and the rest of the service do with jobs, `desk` is what a
runner does with them, and `runner` calls the function of each kind. docs/jobs.md tells how it fits together.
"""
