"""The reading half of the SDK: search, get, frames."""
