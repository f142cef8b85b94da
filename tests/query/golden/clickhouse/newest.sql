-- all traces: exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p1:Int64}
-- p0 = 0
-- p1 = 101
