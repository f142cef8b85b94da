SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment IN (:p0, :p1)
  AND coalesce(try_element_at(t.tags, :p2) = :p3, FALSE)
  AND ((try_element_at(t.tags_numbers, :p4) > :p5 OR try_element_at(t.tags_numbers, :p4) IS NULL) OR (try_element_at(t.tags_numbers, :p4) = :p5 AND (FALSE OR (CASE WHEN try_element_at(t.tags_numbers, :p4) IS NULL THEN try_element_at(t.tags, :p4) END IS NULL AND (t.start_ms <= :p6 AND (t.start_ms < :p6 OR (t.start_ms = :p6 AND t.trace_id > :p7)))))))
ORDER BY try_element_at(t.tags_numbers, :p4) ASC NULLS LAST, CASE WHEN try_element_at(t.tags_numbers, :p4) IS NULL THEN try_element_at(t.tags, :p4) END ASC NULLS LAST, t.start_ms DESC, t.trace_id ASC
LIMIT :p8
-- p0 = 0
-- p1 = 7
-- p2 = 'env'
-- p3 = 'prod'
-- p4 = 'score'
-- p5 = 5.0
-- p6 = 1
-- p7 = 'tr-1'
-- p8 = 101
