-- span.name = 'call' AND span.inputs.q CONTAINS 'late delivery today': the evaluator looks at what it finds
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND (arrayExists((one_name) -> (one_name = {p1:String} AND TRUE), t.span_name) AND (hasAnyTokens(t.words, {p2:Array(String)}) AND hasAnyTokens(t.words, {p3:Array(String)}) AND hasAnyTokens(t.words, {p4:Array(String)}) AND hasAnyTokens(t.words, {p5:Array(String)})))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p6:Int64}
-- p0 = 0
-- p1 = 'call'
-- p2 = ['call', 'CALL', '*']
-- p3 = ['delivery', '*']
-- p4 = ['todayr', '*']
-- p5 = ['late', '*']
-- p6 = 101
