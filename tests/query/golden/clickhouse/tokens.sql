-- attributes.total_tokens >= 100: exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64} AND (t.start_ms, t.trace_id, t.version) IN (
SELECT t.start_ms, t.trace_id, t.version
FROM trace AS t
WHERE t.experiment = {p1:Int64}
  AND t.is_gone = 0
  AND ifNull(t.total_tokens >= {p2:Int64}, 0)
ORDER BY t.cost DESC, t.start_ms DESC, t.trace_id ASC
LIMIT {p3:Int64}
)
ORDER BY t.cost DESC, t.start_ms DESC, t.trace_id ASC
LIMIT {p4:Int64}
-- p0 = 0
-- p1 = 0
-- p2 = 100
-- p3 = 101
-- p4 = 101
