-- span.name = 'call' AND span.duration_ms > 50000000 AND span.attributes.model = 'claude': the evaluator looks at what it finds
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND (hasAny(t.span_keys, {p1:Array(String)}) AND hasAny(t.span_keys, {p2:Array(String)}))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p3:Int64}
-- p0 = 0
-- p1 = ['50000000 call', '60000000 call', '80000000 call', '100000000 call']
-- p2 = ['=1198634131 call', '=1237936810 call', '=1198634131', '=1237936810']
-- p3 = 101
