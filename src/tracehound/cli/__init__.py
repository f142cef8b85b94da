"""The command `tracehound`."""
