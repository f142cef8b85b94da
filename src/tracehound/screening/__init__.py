"""What becomes of a record between capture and the disk: which traces are kept, and what of them nobody may read."""
