-- tags.env = 'prod' AND tags.region = 'eu' AND attributes.status = 'OK': exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND (hasAll(t.pairs, {p1:Array(String)}) AND t.state = {p2:String})
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p3:Int64}
-- p0 = 0
-- p1 = ['tags 3 envprod', 'tags 6 regioneu']
-- p2 = 'OK'
-- p3 = 101
