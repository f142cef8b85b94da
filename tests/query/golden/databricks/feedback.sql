-- feedback.correct = TRUE AND expectation.score > 0.5 AND feedback.tone IS NULL: exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND (exists(t.said, one -> one.about = :p1 AND one.name = :p2 AND coalesce(one.boolean = :p3, FALSE)) AND exists(t.said, one -> one.about = :p4 AND one.name = :p5 AND coalesce(one.number > :p6, FALSE)) AND NOT (exists(t.said, one -> one.about = :p1 AND one.name = :p7 AND coalesce(TRUE, FALSE))))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p8
-- p0 = 0
-- p1 = 'feedback'
-- p2 = 'correct'
-- p3 = True
-- p4 = 'expectation'
-- p5 = 'score'
-- p6 = 0.5
-- p7 = 'tone'
-- p8 = 101
