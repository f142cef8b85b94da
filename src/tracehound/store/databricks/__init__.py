"""Traces in a table of Databricks, which a SQL warehouse searches."""
