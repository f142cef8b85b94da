-- feedback.correct = TRUE AND expectation.score > 0.5 AND feedback.tone IS NULL: exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND (arrayExists((one_group, one_name, one_text, one_number, one_boolean) -> one_group = {p1:String} AND one_name = {p2:String} AND ifNull(one_boolean = {p3:UInt8}, 0), t.said_group, t.said_name, t.said_text, t.said_number, t.said_boolean) AND arrayExists((one_group, one_name, one_text, one_number, one_boolean) -> one_group = {p4:String} AND one_name = {p5:String} AND ifNull(one_number > {p6:Float64}, 0), t.said_group, t.said_name, t.said_text, t.said_number, t.said_boolean) AND NOT (arrayExists((one_group, one_name, one_text, one_number, one_boolean) -> one_group = {p7:String} AND one_name = {p8:String} AND ifNull(TRUE, 0), t.said_group, t.said_name, t.said_text, t.said_number, t.said_boolean)))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p9:Int64}
-- p0 = 0
-- p1 = 'feedback'
-- p2 = 'correct'
-- p3 = 1
-- p4 = 'expectation'
-- p5 = 'score'
-- p6 = 0.5
-- p7 = 'feedback'
-- p8 = 'tone'
-- p9 = 101
