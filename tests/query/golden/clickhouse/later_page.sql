SELECT (the columns of ROW)
FROM (
(SELECT (the columns of ROW), t.tags_numbers, t.metadata_numbers, t.input_tokens, t.output_tokens, t.total_tokens, t.cost, t.span_count
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND t.tags[{p1:String}] = {p2:String}
  AND ((if(mapContains(t.tags_numbers, {p3:String}), t.tags_numbers[{p4:String}], NULL) > {p5:Float64} OR if(mapContains(t.tags_numbers, {p6:String}), t.tags_numbers[{p7:String}], NULL) IS NULL) OR (if(mapContains(t.tags_numbers, {p8:String}), t.tags_numbers[{p9:String}], NULL) = {p10:Float64} AND (0 OR (CASE WHEN if(mapContains(t.tags_numbers, {p11:String}), t.tags_numbers[{p12:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p13:String}), t.tags[{p14:String}], NULL) END IS NULL AND (t.start_ms <= {p15:Int64} AND (t.start_ms < {p16:Int64} OR (t.start_ms = {p17:Int64} AND t.trace_id > {p18:String})))))))
ORDER BY if(mapContains(t.tags_numbers, {p19:String}), t.tags_numbers[{p20:String}], NULL) ASC NULLS LAST, CASE WHEN if(mapContains(t.tags_numbers, {p21:String}), t.tags_numbers[{p22:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p23:String}), t.tags[{p24:String}], NULL) END ASC NULLS LAST, t.start_ms DESC, t.trace_id ASC
LIMIT {p25:Int64})
UNION ALL
(SELECT (the columns of ROW), t.tags_numbers, t.metadata_numbers, t.input_tokens, t.output_tokens, t.total_tokens, t.cost, t.span_count
FROM trace AS t
WHERE t.experiment = {p26:Int64}
  AND t.is_gone = 0
  AND t.tags[{p27:String}] = {p28:String}
  AND ((if(mapContains(t.tags_numbers, {p29:String}), t.tags_numbers[{p30:String}], NULL) > {p31:Float64} OR if(mapContains(t.tags_numbers, {p32:String}), t.tags_numbers[{p33:String}], NULL) IS NULL) OR (if(mapContains(t.tags_numbers, {p34:String}), t.tags_numbers[{p35:String}], NULL) = {p36:Float64} AND (0 OR (CASE WHEN if(mapContains(t.tags_numbers, {p37:String}), t.tags_numbers[{p38:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p39:String}), t.tags[{p40:String}], NULL) END IS NULL AND (t.start_ms <= {p41:Int64} AND (t.start_ms < {p42:Int64} OR (t.start_ms = {p43:Int64} AND t.trace_id > {p44:String})))))))
ORDER BY if(mapContains(t.tags_numbers, {p45:String}), t.tags_numbers[{p46:String}], NULL) ASC NULLS LAST, CASE WHEN if(mapContains(t.tags_numbers, {p47:String}), t.tags_numbers[{p48:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p49:String}), t.tags[{p50:String}], NULL) END ASC NULLS LAST, t.start_ms DESC, t.trace_id ASC
LIMIT {p51:Int64})
) AS t
ORDER BY if(mapContains(t.tags_numbers, {p52:String}), t.tags_numbers[{p53:String}], NULL) ASC NULLS LAST, CASE WHEN if(mapContains(t.tags_numbers, {p54:String}), t.tags_numbers[{p55:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p56:String}), t.tags[{p57:String}], NULL) END ASC NULLS LAST, t.start_ms DESC, t.trace_id ASC
LIMIT {p58:Int64}
-- p0 = 0
-- p1 = 'env'
-- p2 = 'prod'
-- p3 = 'score'
-- p4 = 'score'
-- p5 = 5.0
-- p6 = 'score'
-- p7 = 'score'
-- p8 = 'score'
-- p9 = 'score'
-- p10 = 5.0
-- p11 = 'score'
-- p12 = 'score'
-- p13 = 'score'
-- p14 = 'score'
-- p15 = 1
-- p16 = 1
-- p17 = 1
-- p18 = 'tr-1'
-- p19 = 'score'
-- p20 = 'score'
-- p21 = 'score'
-- p22 = 'score'
-- p23 = 'score'
-- p24 = 'score'
-- p25 = 101
-- p26 = 7
-- p27 = 'env'
-- p28 = 'prod'
-- p29 = 'score'
-- p30 = 'score'
-- p31 = 5.0
-- p32 = 'score'
-- p33 = 'score'
-- p34 = 'score'
-- p35 = 'score'
-- p36 = 5.0
-- p37 = 'score'
-- p38 = 'score'
-- p39 = 'score'
-- p40 = 'score'
-- p41 = 1
-- p42 = 1
-- p43 = 1
-- p44 = 'tr-1'
-- p45 = 'score'
-- p46 = 'score'
-- p47 = 'score'
-- p48 = 'score'
-- p49 = 'score'
-- p50 = 'score'
-- p51 = 101
-- p52 = 'score'
-- p53 = 'score'
-- p54 = 'score'
-- p55 = 'score'
-- p56 = 'score'
-- p57 = 'score'
-- p58 = 101
