SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND t.start_ms >= {p1:Int64}
  AND t.start_ms <= {p2:Int64}
  AND has(t.pairs, {p3:String})
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p4:Int64}
-- p0 = 0
-- p1 = 1000
-- p2 = 2000
-- p3 = 'tags 3 envprod'
-- p4 = 101
