-- span.name = 'call' AND span.duration_ms > 50000000 AND span.attributes.model = 'claude' AND span.type = 'LLM': the evaluator looks at what it finds
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND (hasAny(t.span_keys, {p1:Array(String)}) AND hasAny(t.span_keys, {p2:Array(String)}) AND arrayExists((one_name, one_duration_ms, one_type) -> (one_name = {p3:String} AND ifNull(one_duration_ms > {p4:Int64}, 0) AND ifNull(one_type = {p5:String}, 0)), t.span_name, t.span_duration_ms, t.span_type))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p6:Int64}
-- p0 = 0
-- p1 = ['50000000 call', '60000000 call', '80000000 call', '100000000 call']
-- p2 = ['=1198634131 call', '=1237936810 call', '=1198634131', '=1237936810']
-- p3 = 'call'
-- p4 = 50000000
-- p5 = 'LLM'
-- p6 = 101
