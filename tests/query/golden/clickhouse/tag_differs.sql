-- tags.env != 'prod': exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND ifNull(if(mapContains(t.tags, {p1:String}), t.tags[{p2:String}], NULL) != {p3:String}, 0)
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p4:Int64}
-- p0 = 0
-- p1 = 'env'
-- p2 = 'env'
-- p3 = 'prod'
-- p4 = 101
