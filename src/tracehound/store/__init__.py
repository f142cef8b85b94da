"""Where traces are kept and searched: one contract, several engines."""
