-- tags.score > 5: exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND coalesce(try_element_at(t.tags_numbers, :p1) > :p2, FALSE)
ORDER BY try_element_at(t.tags_numbers, :p1) DESC, CASE WHEN try_element_at(t.tags_numbers, :p1) IS NULL THEN try_element_at(t.tags, :p1) END DESC, t.start_ms DESC, t.trace_id ASC
LIMIT :p3
-- p0 = 0
-- p1 = 'score'
-- p2 = 5
-- p3 = 101
