-- span.name = 'call' AND span.attributes.model = 'claude': the evaluator looks at what it finds
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND (arrayExists((one_name) -> (one_name = {p1:String} AND hasAny(t.span_terms, {p2:Array(Int64)})), t.span_name) AND (hasAnyTokens(t.words, {p3:Array(String)}) AND hasAnyTokens(t.words, {p4:Array(String)})))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p5:Int64}
-- p0 = 0
-- p1 = 'call'
-- p2 = [3901685937996936339, 2980952886596954794]
-- p3 = ['call', 'CALL', '*']
-- p4 = ['claude', 'CLAUDE', '*']
-- p5 = 101
