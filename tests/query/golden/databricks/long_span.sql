-- span.name = 'call' AND span.duration_ms BETWEEN 3000 AND 8000: exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND exists(t.spans, one -> (one.name = :p1 AND coalesce(one.duration_ms >= :p2, FALSE) AND coalesce(one.duration_ms <= :p3, FALSE)))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p4
-- p0 = 0
-- p1 = 'call'
-- p2 = 3000
-- p3 = 8000
-- p4 = 101
