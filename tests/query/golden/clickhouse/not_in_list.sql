-- tags.env NOT IN ('prod', 'dev') AND tags.a != 'x': exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND (ifNull(if(mapContains(t.tags, {p1:String}), t.tags[{p2:String}], NULL) != {p3:String}, 0) AND ifNull(NOT ((if(mapContains(t.tags, {p4:String}), t.tags[{p5:String}], NULL) IN {p6:Array(String)})), 0))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p7:Int64}
-- p0 = 0
-- p1 = 'a'
-- p2 = 'a'
-- p3 = 'x'
-- p4 = 'env'
-- p5 = 'env'
-- p6 = ['prod', 'dev']
-- p7 = 101
