"""People and machines that use the service, and what each may do where."""
