-- span.name = 'call' AND span.attributes.model = 'claude': the evaluator looks at what it finds
SELECT t.trace_id, t.info_json, t.spans_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND (exists(t.spans, one -> (one.name = :p1 AND arrays_overlap(t.span_terms, from_json(:p2, 'ARRAY<BIGINT>')))) AND ((contains(t.words, :p3) OR t.words = :p4) AND (contains(t.words, :p5) OR t.words = :p4)))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p6
-- p0 = 0
-- p1 = 'call'
-- p2 = '[3901685937996936339, 2980952886596954794]'
-- p3 = ' call '
-- p4 = '*'
-- p5 = ' claude '
-- p6 = 101
