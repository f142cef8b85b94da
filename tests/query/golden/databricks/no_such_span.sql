-- NOT span.status = 'ERROR': exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND NOT (exists(t.spans, one -> one.status = :p1))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p2
-- p0 = 0
-- p1 = 'ERROR'
-- p2 = 101
