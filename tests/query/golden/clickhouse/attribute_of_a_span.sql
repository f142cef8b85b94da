-- span.name = 'call' AND span.attributes.model = 'claude': the evaluator looks at what it finds
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND (hasAny(t.span_keys, {p1:Array(String)}) AND (hasAnyTokens(t.words, {p2:Array(String)}) AND hasAnyTokens(t.words, {p3:Array(String)})))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p4:Int64}
-- p0 = 0
-- p1 = ['=1198634131 call', '=1237936810 call', '=1198634131', '=1237936810']
-- p2 = ['call', 'CALL', '*']
-- p3 = ['claude', 'CLAUDE', '*']
-- p4 = 101
