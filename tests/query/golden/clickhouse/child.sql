-- span(name = 'agent') > span(status = 'ERROR'): the evaluator looks at what it finds
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND (arrayExists((one_name) -> one_name = {p1:String}, t.span_name) AND arrayExists((one_status) -> one_status = {p2:String}, t.span_status) AND hasAnyTokens(t.words, {p3:Array(String)}))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p4:Int64}
-- p0 = 0
-- p1 = 'agent'
-- p2 = 'ERROR'
-- p3 = ['agent', 'AGENT', '*']
-- p4 = 101
