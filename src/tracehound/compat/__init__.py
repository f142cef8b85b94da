"""Tracehound under the name of MLflow, for programs that were written for that."""
