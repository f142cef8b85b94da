"""What many traces say together: latency, error rates."""
