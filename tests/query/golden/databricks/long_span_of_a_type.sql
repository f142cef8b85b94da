-- span.name = 'call' AND span.duration_ms > 50000000 AND span.attributes.model = 'claude' AND span.type = 'LLM': the evaluator looks at what it finds
SELECT t.trace_id, t.info_json, t.spans_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND (exists(t.spans, one -> (one.name = :p1 AND coalesce(one.duration_ms > :p2, FALSE) AND coalesce(one.type = :p3, FALSE) AND arrays_overlap(t.span_terms, from_json(:p4, 'ARRAY<BIGINT>')))) AND ((contains(t.words, :p5) OR t.words = :p6) AND (contains(t.words, :p7) OR t.words = :p6)))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p8
-- p0 = 0
-- p1 = 'call'
-- p2 = 50000000
-- p3 = 'LLM'
-- p4 = '[3901685937996936339, 2980952886596954794]'
-- p5 = ' call '
-- p6 = '*'
-- p7 = ' claude '
-- p8 = 101
