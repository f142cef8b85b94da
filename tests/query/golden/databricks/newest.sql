-- all traces: exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p1
-- p0 = 0
-- p1 = 101
