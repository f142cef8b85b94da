"""Filter text -> tokens -> tree -> checked tree -> SQL. No database, no I/O."""
