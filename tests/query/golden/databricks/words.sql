-- trace.text CONTAINS 'late delivery today': the evaluator looks at what it finds
SELECT t.trace_id, t.info_json, t.spans_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND ((contains(t.words, :p1) OR t.words = :p2) AND (contains(t.words, :p3) OR t.words = :p2) AND (contains(t.words, :p4) OR t.words = :p2))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p5
-- p0 = 0
-- p1 = ' delivery '
-- p2 = '*'
-- p3 = ' today'
-- p4 = 'late '
-- p5 = 101
