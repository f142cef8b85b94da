"""What things are: ids, span, trace, experiment; what is derived from them. No I/O."""
