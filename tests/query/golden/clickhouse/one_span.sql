-- span.type = 'TOOL' AND span.status = 'ERROR': exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND arrayExists((one_type, one_status) -> (ifNull(one_type = {p1:String}, 0) AND one_status = {p2:String}), t.span_type, t.span_status)
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p3:Int64}
-- p0 = 0
-- p1 = 'TOOL'
-- p2 = 'ERROR'
-- p3 = 101
