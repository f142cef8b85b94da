"""The store in ClickHouse: a server, a cluster of them, or the engine in this process (chdb)."""
