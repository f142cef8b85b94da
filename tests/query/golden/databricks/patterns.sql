-- attributes.name ILIKE '%kept%' AND tags.a NOT LIKE 'x\_' AND tags.b RLIKE '^a.': exact
SELECT t.trace_id, t.info_json
FROM `main`.`tracehound`.trace AS t
WHERE t.experiment = :p0
  AND (replace(translate(t.name, :p1, :p2), :p3, :p4) LIKE :p5 AND coalesce(NOT try_element_at(t.tags, :p6) LIKE :p7, FALSE) AND coalesce(try_element_at(t.tags, :p8) RLIKE :p9, FALSE))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT :p10
-- p0 = 0
-- p1 = 'ABCDEFGHIJKKLMNOPQRSTUVWXYZÀÁÂÃÄÅÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞĀ…
-- p2 = 'abcdefghijkklmnopqrstuvwxyzàáâãäååæçèéêëìíîïðñòóôõöøùúûüýþā…
-- p3 = 'İ'
-- p4 = 'i̇'
-- p5 = '%kept%'
-- p6 = 'a'
-- p7 = 'x\\\\_'
-- p8 = 'b'
-- p9 = '\\Aa[^\\n]'
-- p10 = 101
