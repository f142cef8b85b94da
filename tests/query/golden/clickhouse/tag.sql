-- tags.env = 'prod': exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND t.tags[{p1:String}] = {p2:String}
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p3:Int64}
-- p0 = 0
-- p1 = 'env'
-- p2 = 'prod'
-- p3 = 101
