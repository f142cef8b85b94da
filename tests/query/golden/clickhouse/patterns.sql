-- attributes.name ILIKE '%kept%' AND tags.a NOT LIKE 'x\_' AND tags.b RLIKE '^a.': exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND (match(replaceAll(t.name, 'İ', 'i̇'), {p1:String}) AND ifNull(NOT if(mapContains(t.tags, {p2:String}), t.tags[{p3:String}], NULL) LIKE {p4:String}, 0) AND ifNull(match(if(mapContains(t.tags, {p5:String}), t.tags[{p6:String}], NULL), {p7:String}), 0))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p8:Int64}
-- p0 = 0
-- p1 = '(?s)\\A.*[kKK][eE][pP][tT].*\\z'
-- p2 = 'a'
-- p3 = 'a'
-- p4 = 'x\\\\_'
-- p5 = 'b'
-- p6 = 'b'
-- p7 = '(?-s)^a.'
-- p8 = 101
