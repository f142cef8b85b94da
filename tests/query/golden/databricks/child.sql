-- span(name = 'agent') > span(status = 'ERROR'): the evaluator looks at what it finds
SELECT t.trace_id, t.info_json, t.spans_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND (exists(t.spans, one -> one.name = :p1) AND exists(t.spans, one -> one.status = :p2) AND (contains(t.words, :p3) OR t.words = :p4))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p5
-- p0 = 0
-- p1 = 'agent'
-- p2 = 'ERROR'
-- p3 = ' agent '
-- p4 = '*'
-- p5 = 101
