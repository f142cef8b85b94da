"""Other people's instrumentation of the libraries that a program calls, switched on with one line."""
