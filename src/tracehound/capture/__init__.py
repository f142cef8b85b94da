"""User code becomes finished traces: decorator, live span, arguments."""
