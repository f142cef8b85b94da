-- span.name = 'call' AND span.inputs.q CONTAINS 'late delivery today': the evaluator looks at what it finds
SELECT t.trace_id, t.info_json, t.spans_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND (exists(t.spans, one -> (one.name = :p1 AND TRUE)) AND ((contains(t.words, :p2) OR t.words = :p3) AND (contains(t.words, :p4) OR t.words = :p3) AND (contains(t.words, :p5) OR t.words = :p3) AND (contains(t.words, :p6) OR t.words = :p3)))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p7
-- p0 = 0
-- p1 = 'call'
-- p2 = ' call '
-- p3 = '*'
-- p4 = ' delivery '
-- p5 = ' today'
-- p6 = 'late '
-- p7 = 101
