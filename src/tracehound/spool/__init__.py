"""Finished traces on disk before the call returns; then, in batches, in the store."""
