-- tags.env = 'prod' AND (attributes.status = 'ERROR' OR metadata.ver = '2'): exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND (t.tags[{p1:String}] = {p2:String} AND (t.state = {p3:String} OR t.metadata[{p4:String}] = {p5:String}))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p6:Int64}
-- p0 = 0
-- p1 = 'env'
-- p2 = 'prod'
-- p3 = 'ERROR'
-- p4 = 'ver'
-- p5 = '2'
-- p6 = 101
