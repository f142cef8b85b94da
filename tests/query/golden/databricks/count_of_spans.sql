-- count(span(status = 'ERROR' AND duration_ms > 5)) >= 2: exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND size(filter(t.spans, one -> (one.status = :p1 AND coalesce(one.duration_ms > :p2, FALSE)))) >= :p3
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p4
-- p0 = 0
-- p1 = 'ERROR'
-- p2 = 5
-- p3 = 2
-- p4 = 101
