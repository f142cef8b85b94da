-- tags.env = 'prod': exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND has(t.pairs, {p1:String})
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p2:Int64}
-- p0 = 0
-- p1 = 'tags 3 envprod'
-- p2 = 101
