-- tags.a RLIKE 'a.*b' AND feedback.tone RLIKE '(?i)kind': the evaluator looks at what it finds
SELECT t.trace_id, t.info_json, t.spans_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND (try_element_at(t.tags, :p1) IS NOT NULL AND exists(t.said, one -> one.about = :p2 AND one.name = :p3 AND coalesce(TRUE, FALSE)))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p4
-- p0 = 0
-- p1 = 'a'
-- p2 = 'feedback'
-- p3 = 'tone'
-- p4 = 101
