"""Shapes outside the process: the frames of the spool, the payloads of the store."""
