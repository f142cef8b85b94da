"""What the spans of other people's instrumentation say, in our words: one module for each of their conventions."""
