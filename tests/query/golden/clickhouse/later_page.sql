SELECT (the columns of ROW)
FROM (
(SELECT (the columns of ROW), t.tags_numbers, t.metadata_numbers, t.input_tokens, t.output_tokens, t.total_tokens, t.cost, t.span_count
FROM trace AS t
WHERE t.experiment = {p0:Int64} AND (t.start_ms, t.trace_id, t.version) IN (
SELECT t.start_ms, t.trace_id, t.version
FROM trace AS t
WHERE t.experiment = {p1:Int64}
  AND t.is_gone = 0
  AND has(t.pairs, {p2:String})
  AND ((if(mapContains(t.tags_numbers, {p3:String}), t.tags_numbers[{p4:String}], NULL) > {p5:Float64} OR if(mapContains(t.tags_numbers, {p6:String}), t.tags_numbers[{p7:String}], NULL) IS NULL) OR (if(mapContains(t.tags_numbers, {p8:String}), t.tags_numbers[{p9:String}], NULL) = {p10:Float64} AND (FALSE OR (CASE WHEN if(mapContains(t.tags_numbers, {p11:String}), t.tags_numbers[{p12:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p13:String}), t.tags[{p14:String}], NULL) END IS NULL AND (t.start_ms <= {p15:Int64} AND (t.start_ms < {p16:Int64} OR (t.start_ms = {p17:Int64} AND t.trace_id > {p18:String})))))))
ORDER BY if(mapContains(t.tags_numbers, {p19:String}), t.tags_numbers[{p20:String}], NULL) ASC NULLS LAST, CASE WHEN if(mapContains(t.tags_numbers, {p21:String}), t.tags_numbers[{p22:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p23:String}), t.tags[{p24:String}], NULL) END ASC NULLS LAST, t.start_ms DESC, t.trace_id ASC
LIMIT {p25:Int64}
)
ORDER BY if(mapContains(t.tags_numbers, {p26:String}), t.tags_numbers[{p27:String}], NULL) ASC NULLS LAST, CASE WHEN if(mapContains(t.tags_numbers, {p28:String}), t.tags_numbers[{p29:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p30:String}), t.tags[{p31:String}], NULL) END ASC NULLS LAST, t.start_ms DESC, t.trace_id ASC
LIMIT {p32:Int64})
UNION ALL
(SELECT (the columns of ROW), t.tags_numbers, t.metadata_numbers, t.input_tokens, t.output_tokens, t.total_tokens, t.cost, t.span_count
FROM trace AS t
WHERE t.experiment = {p33:Int64} AND (t.start_ms, t.trace_id, t.version) IN (
SELECT t.start_ms, t.trace_id, t.version
FROM trace AS t
WHERE t.experiment = {p34:Int64}
  AND t.is_gone = 0
  AND has(t.pairs, {p35:String})
  AND ((if(mapContains(t.tags_numbers, {p36:String}), t.tags_numbers[{p37:String}], NULL) > {p38:Float64} OR if(mapContains(t.tags_numbers, {p39:String}), t.tags_numbers[{p40:String}], NULL) IS NULL) OR (if(mapContains(t.tags_numbers, {p41:String}), t.tags_numbers[{p42:String}], NULL) = {p43:Float64} AND (FALSE OR (CASE WHEN if(mapContains(t.tags_numbers, {p44:String}), t.tags_numbers[{p45:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p46:String}), t.tags[{p47:String}], NULL) END IS NULL AND (t.start_ms <= {p48:Int64} AND (t.start_ms < {p49:Int64} OR (t.start_ms = {p50:Int64} AND t.trace_id > {p51:String})))))))
ORDER BY if(mapContains(t.tags_numbers, {p52:String}), t.tags_numbers[{p53:String}], NULL) ASC NULLS LAST, CASE WHEN if(mapContains(t.tags_numbers, {p54:String}), t.tags_numbers[{p55:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p56:String}), t.tags[{p57:String}], NULL) END ASC NULLS LAST, t.start_ms DESC, t.trace_id ASC
LIMIT {p58:Int64}
)
ORDER BY if(mapContains(t.tags_numbers, {p59:String}), t.tags_numbers[{p60:String}], NULL) ASC NULLS LAST, CASE WHEN if(mapContains(t.tags_numbers, {p61:String}), t.tags_numbers[{p62:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p63:String}), t.tags[{p64:String}], NULL) END ASC NULLS LAST, t.start_ms DESC, t.trace_id ASC
LIMIT {p65:Int64})
) AS t
ORDER BY if(mapContains(t.tags_numbers, {p66:String}), t.tags_numbers[{p67:String}], NULL) ASC NULLS LAST, CASE WHEN if(mapContains(t.tags_numbers, {p68:String}), t.tags_numbers[{p69:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p70:String}), t.tags[{p71:String}], NULL) END ASC NULLS LAST, t.start_ms DESC, t.trace_id ASC
LIMIT {p72:Int64}
-- p0 = 0
-- p1 = 0
-- p2 = 'tags 3 envprod'
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
-- p26 = 'score'
-- p27 = 'score'
-- p28 = 'score'
-- p29 = 'score'
-- p30 = 'score'
-- p31 = 'score'
-- p32 = 101
-- p33 = 7
-- p34 = 7
-- p35 = 'tags 3 envprod'
-- p36 = 'score'
-- p37 = 'score'
-- p38 = 5.0
-- p39 = 'score'
-- p40 = 'score'
-- p41 = 'score'
-- p42 = 'score'
-- p43 = 5.0
-- p44 = 'score'
-- p45 = 'score'
-- p46 = 'score'
-- p47 = 'score'
-- p48 = 1
-- p49 = 1
-- p50 = 1
-- p51 = 'tr-1'
-- p52 = 'score'
-- p53 = 'score'
-- p54 = 'score'
-- p55 = 'score'
-- p56 = 'score'
-- p57 = 'score'
-- p58 = 101
-- p59 = 'score'
-- p60 = 'score'
-- p61 = 'score'
-- p62 = 'score'
-- p63 = 'score'
-- p64 = 'score'
-- p65 = 101
-- p66 = 'score'
-- p67 = 'score'
-- p68 = 'score'
-- p69 = 'score'
-- p70 = 'score'
-- p71 = 'score'
-- p72 = 101
