-- attributes.execution_time_ms > 5000: exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND ifNull(t.duration_ms > {p1:Int64}, 0)
ORDER BY t.duration_ms DESC, t.start_ms DESC, t.trace_id ASC
LIMIT {p2:Int64}
-- p0 = 0
-- p1 = 5000
-- p2 = 101
