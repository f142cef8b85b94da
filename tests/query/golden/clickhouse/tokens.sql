-- attributes.total_tokens >= 100: exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND ifNull(t.total_tokens >= {p1:Int64}, 0)
ORDER BY t.cost DESC, t.start_ms DESC, t.trace_id ASC
LIMIT {p2:Int64}
-- p0 = 0
-- p1 = 100
-- p2 = 101
