-- span.type = 'TOOL' AND span.status = 'ERROR': exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND exists(t.spans, one -> (coalesce(one.type = :p1, FALSE) AND one.status = :p2))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p3
-- p0 = 0
-- p1 = 'TOOL'
-- p2 = 'ERROR'
-- p3 = 101
