-- tags.score > 5: exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64} AND (t.start_ms, t.trace_id, t.version) IN (
SELECT t.start_ms, t.trace_id, t.version
FROM trace AS t
WHERE t.experiment = {p1:Int64}
  AND t.is_gone = 0
  AND ifNull(if(mapContains(t.tags_numbers, {p2:String}), t.tags_numbers[{p3:String}], NULL) > {p4:Int64}, 0)
ORDER BY if(mapContains(t.tags_numbers, {p5:String}), t.tags_numbers[{p6:String}], NULL) DESC, CASE WHEN if(mapContains(t.tags_numbers, {p7:String}), t.tags_numbers[{p8:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p9:String}), t.tags[{p10:String}], NULL) END DESC, t.start_ms DESC, t.trace_id ASC
LIMIT {p11:Int64}
)
ORDER BY if(mapContains(t.tags_numbers, {p12:String}), t.tags_numbers[{p13:String}], NULL) DESC, CASE WHEN if(mapContains(t.tags_numbers, {p14:String}), t.tags_numbers[{p15:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p16:String}), t.tags[{p17:String}], NULL) END DESC, t.start_ms DESC, t.trace_id ASC
LIMIT {p18:Int64}
-- p0 = 0
-- p1 = 0
-- p2 = 'score'
-- p3 = 'score'
-- p4 = 5
-- p5 = 'score'
-- p6 = 'score'
-- p7 = 'score'
-- p8 = 'score'
-- p9 = 'score'
-- p10 = 'score'
-- p11 = 101
-- p12 = 'score'
-- p13 = 'score'
-- p14 = 'score'
-- p15 = 'score'
-- p16 = 'score'
-- p17 = 'score'
-- p18 = 101
