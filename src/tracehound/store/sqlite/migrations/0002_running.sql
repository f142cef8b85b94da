-- Snapshots of traces that run: the process that their open spans run in, and whether it is gone (`store.api`).
ALTER TABLE part ADD COLUMN owner TEXT;
ALTER TABLE part ADD COLUMN has_ended INTEGER NOT NULL DEFAULT 0;
CREATE INDEX part_by_owner ON part (owner, trace) WHERE owner IS NOT NULL;
