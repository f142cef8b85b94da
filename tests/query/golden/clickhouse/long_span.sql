-- span.name = 'call' AND span.duration_ms BETWEEN 3000 AND 8000: exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND (hasAny(t.span_keys, {p1:Array(String)}) AND arrayExists((one_name, one_duration_ms) -> (one_name = {p2:String} AND ifNull(one_duration_ms >= {p3:Int64}, 0) AND ifNull(one_duration_ms <= {p4:Int64}, 0)), t.span_name, t.span_duration_ms))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p5:Int64}
-- p0 = 0
-- p1 = ['2500 call', '3000 call', '4000 call', '5000 call', '6000 call']
-- p2 = 'call'
-- p3 = 3000
-- p4 = 8000
-- p5 = 101
