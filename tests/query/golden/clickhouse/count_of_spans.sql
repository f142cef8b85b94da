-- count(span(status = 'ERROR' AND duration_ms > 5)) >= 2: exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND arrayCount((one_status, one_duration_ms) -> (one_status = {p1:String} AND ifNull(one_duration_ms > {p2:Int64}, 0)), t.span_status, t.span_duration_ms) >= {p3:Int64}
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p4:Int64}
-- p0 = 0
-- p1 = 'ERROR'
-- p2 = 5
-- p3 = 2
-- p4 = 101
