-- span.name = 'call' AND span.duration_ms > 50000000 AND span.attributes.model = 'claude': the evaluator looks at what it finds
SELECT t.trace_id, t.info_json, t.spans_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND (exists(t.spans, one -> (one.name = :p1 AND coalesce(one.duration_ms > :p2, FALSE) AND arrays_overlap(t.span_terms, from_json(:p3, 'ARRAY<BIGINT>')))) AND ((contains(t.words, :p4) OR t.words = :p5) AND (contains(t.words, :p6) OR t.words = :p5)))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p7
-- p0 = 0
-- p1 = 'call'
-- p2 = 50000000
-- p3 = '[3901685937996936339, 2980952886596954794]'
-- p4 = ' call '
-- p5 = '*'
-- p6 = ' claude '
-- p7 = 101
