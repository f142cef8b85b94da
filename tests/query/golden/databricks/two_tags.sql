-- tags.env = 'prod' AND tags.region = 'eu' AND attributes.status = 'OK': exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND (coalesce(try_element_at(t.tags, :p1) = :p2, FALSE) AND coalesce(try_element_at(t.tags, :p3) = :p4, FALSE) AND t.state = :p5)
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p6
-- p0 = 0
-- p1 = 'env'
-- p2 = 'prod'
-- p3 = 'region'
-- p4 = 'eu'
-- p5 = 'OK'
-- p6 = 101
