-- trace.text CONTAINS 'late delivery today': the evaluator looks at what it finds
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND (hasAnyTokens(t.words, {p1:Array(String)}) AND hasAnyTokens(t.words, {p2:Array(String)}) AND hasAnyTokens(t.words, {p3:Array(String)}))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p4:Int64}
-- p0 = 0
-- p1 = ['delivery', 'DELIVERY', '*']
-- p2 = ['todayr', 'TODAYR', '*']
-- p3 = ['late', 'LATE', '*']
-- p4 = 101
