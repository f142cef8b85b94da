SELECT (the columns of ROW)
FROM (
(SELECT (the columns of ROW), t.tags_numbers, t.metadata_numbers, t.input_tokens, t.output_tokens, t.total_tokens, t.cost, t.span_count
FROM trace AS t
WHERE t.experiment = {p0:Int64} AND (t.start_ms, t.trace_id, t.version) IN (
SELECT t.start_ms, t.trace_id, t.version
FROM trace AS t
WHERE t.experiment = {p1:Int64}
  AND t.is_gone = 0
  AND t.tags[{p2:String}] = {p3:String}
  AND ((if(mapContains(t.tags_numbers, {p4:String}), t.tags_numbers[{p5:String}], NULL) > {p6:Float64} OR if(mapContains(t.tags_numbers, {p7:String}), t.tags_numbers[{p8:String}], NULL) IS NULL) OR (if(mapContains(t.tags_numbers, {p9:String}), t.tags_numbers[{p10:String}], NULL) = {p11:Float64} AND (FALSE OR (CASE WHEN if(mapContains(t.tags_numbers, {p12:String}), t.tags_numbers[{p13:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p14:String}), t.tags[{p15:String}], NULL) END IS NULL AND (t.start_ms <= {p16:Int64} AND (t.start_ms < {p17:Int64} OR (t.start_ms = {p18:Int64} AND t.trace_id > {p19:String})))))))
ORDER BY if(mapContains(t.tags_numbers, {p20:String}), t.tags_numbers[{p21:String}], NULL) ASC NULLS LAST, CASE WHEN if(mapContains(t.tags_numbers, {p22:String}), t.tags_numbers[{p23:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p24:String}), t.tags[{p25:String}], NULL) END ASC NULLS LAST, t.start_ms DESC, t.trace_id ASC
LIMIT {p26:Int64}
)
ORDER BY if(mapContains(t.tags_numbers, {p27:String}), t.tags_numbers[{p28:String}], NULL) ASC NULLS LAST, CASE WHEN if(mapContains(t.tags_numbers, {p29:String}), t.tags_numbers[{p30:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p31:String}), t.tags[{p32:String}], NULL) END ASC NULLS LAST, t.start_ms DESC, t.trace_id ASC
LIMIT {p33:Int64})
UNION ALL
(SELECT (the columns of ROW), t.tags_numbers, t.metadata_numbers, t.input_tokens, t.output_tokens, t.total_tokens, t.cost, t.span_count
FROM trace AS t
WHERE t.experiment = {p34:Int64} AND (t.start_ms, t.trace_id, t.version) IN (
SELECT t.start_ms, t.trace_id, t.version
FROM trace AS t
WHERE t.experiment = {p35:Int64}
  AND t.is_gone = 0
  AND t.tags[{p36:String}] = {p37:String}
  AND ((if(mapContains(t.tags_numbers, {p38:String}), t.tags_numbers[{p39:String}], NULL) > {p40:Float64} OR if(mapContains(t.tags_numbers, {p41:String}), t.tags_numbers[{p42:String}], NULL) IS NULL) OR (if(mapContains(t.tags_numbers, {p43:String}), t.tags_numbers[{p44:String}], NULL) = {p45:Float64} AND (FALSE OR (CASE WHEN if(mapContains(t.tags_numbers, {p46:String}), t.tags_numbers[{p47:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p48:String}), t.tags[{p49:String}], NULL) END IS NULL AND (t.start_ms <= {p50:Int64} AND (t.start_ms < {p51:Int64} OR (t.start_ms = {p52:Int64} AND t.trace_id > {p53:String})))))))
ORDER BY if(mapContains(t.tags_numbers, {p54:String}), t.tags_numbers[{p55:String}], NULL) ASC NULLS LAST, CASE WHEN if(mapContains(t.tags_numbers, {p56:String}), t.tags_numbers[{p57:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p58:String}), t.tags[{p59:String}], NULL) END ASC NULLS LAST, t.start_ms DESC, t.trace_id ASC
LIMIT {p60:Int64}
)
ORDER BY if(mapContains(t.tags_numbers, {p61:String}), t.tags_numbers[{p62:String}], NULL) ASC NULLS LAST, CASE WHEN if(mapContains(t.tags_numbers, {p63:String}), t.tags_numbers[{p64:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p65:String}), t.tags[{p66:String}], NULL) END ASC NULLS LAST, t.start_ms DESC, t.trace_id ASC
LIMIT {p67:Int64})
) AS t
ORDER BY if(mapContains(t.tags_numbers, {p68:String}), t.tags_numbers[{p69:String}], NULL) ASC NULLS LAST, CASE WHEN if(mapContains(t.tags_numbers, {p70:String}), t.tags_numbers[{p71:String}], NULL) IS NULL THEN if(mapContains(t.tags, {p72:String}), t.tags[{p73:String}], NULL) END ASC NULLS LAST, t.start_ms DESC, t.trace_id ASC
LIMIT {p74:Int64}
-- p0 = 0
-- p1 = 0
-- p2 = 'env'
-- p3 = 'prod'
-- p4 = 'score'
-- p5 = 'score'
-- p6 = 5.0
-- p7 = 'score'
-- p8 = 'score'
-- p9 = 'score'
-- p10 = 'score'
-- p11 = 5.0
-- p12 = 'score'
-- p13 = 'score'
-- p14 = 'score'
-- p15 = 'score'
-- p16 = 1
-- p17 = 1
-- p18 = 1
-- p19 = 'tr-1'
-- p20 = 'score'
-- p21 = 'score'
-- p22 = 'score'
-- p23 = 'score'
-- p24 = 'score'
-- p25 = 'score'
-- p26 = 101
-- p27 = 'score'
-- p28 = 'score'
-- p29 = 'score'
-- p30 = 'score'
-- p31 = 'score'
-- p32 = 'score'
-- p33 = 101
-- p34 = 7
-- p35 = 7
-- p36 = 'env'
-- p37 = 'prod'
-- p38 = 'score'
-- p39 = 'score'
-- p40 = 5.0
-- p41 = 'score'
-- p42 = 'score'
-- p43 = 'score'
-- p44 = 'score'
-- p45 = 5.0
-- p46 = 'score'
-- p47 = 'score'
-- p48 = 'score'
-- p49 = 'score'
-- p50 = 1
-- p51 = 1
-- p52 = 1
-- p53 = 'tr-1'
-- p54 = 'score'
-- p55 = 'score'
-- p56 = 'score'
-- p57 = 'score'
-- p58 = 'score'
-- p59 = 'score'
-- p60 = 101
-- p61 = 'score'
-- p62 = 'score'
-- p63 = 'score'
-- p64 = 'score'
-- p65 = 'score'
-- p66 = 'score'
-- p67 = 101
-- p68 = 'score'
-- p69 = 'score'
-- p70 = 'score'
-- p71 = 'score'
-- p72 = 'score'
-- p73 = 'score'
-- p74 = 101
