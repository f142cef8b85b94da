-- tags.score > 5: exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND ifNull(if(mapContains(t.tags_numbers, {p1:String}), t.tags_numbers[{p2:String}], NULL) > {p3:Int64}, 0)
ORDER BY if(mapContains(t.tags_numbers, {p4:String}), t.tags_numbers[{p5:String}], NULL) DESC, CASE WHEN if(mapContains(t.tags_numbers, {p6:String}), t.tags_numbers[{p7:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p8:String}), t.tags[{p9:String}], NULL) END DESC, t.start_ms DESC, t.trace_id ASC
LIMIT {p10:Int64}
-- p0 = 0
-- p1 = 'score'
-- p2 = 'score'
-- p3 = 5
-- p4 = 'score'
-- p5 = 'score'
-- p6 = 'score'
-- p7 = 'score'
-- p8 = 'score'
-- p9 = 'score'
-- p10 = 101
