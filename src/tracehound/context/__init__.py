"""What is current while user code runs: the trace that is being put together."""
