-- NOT span.status = 'ERROR': exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND NOT (arrayExists((one_status) -> one_status = {p1:String}, t.span_status))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p2:Int64}
-- p0 = 0
-- p1 = 'ERROR'
-- p2 = 101
