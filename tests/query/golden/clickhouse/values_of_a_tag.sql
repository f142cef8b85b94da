-- tags.team CONTAINS 'blue' AND NOT tags.team CONTAINS 'dark': exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND (hasAny(t.pairs, {p1:Array(String)}) AND NOT (ifNull(position(if(mapContains(t.tags, {p2:String}), t.tags[{p3:String}], NULL), {p4:String}) > 0, 0)))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p5:Int64}
-- p0 = 0
-- p1 = ['tags 4 teambluer', 'tags 4 teamblues']
-- p2 = 'team'
-- p3 = 'team'
-- p4 = 'dark'
-- p5 = 101
