SELECT t.duration_ms
FROM trace AS t
WHERE t.experiment IN {p0:Array(Int64)}
  AND t.is_gone = 0
  AND has(t.pairs, {p1:String})
ORDER BY t.duration_ms DESC
LIMIT 1 OFFSET {p2:Int64}
-- p0 = [0, 7]
-- p1 = 'tags 3 envprod'
-- p2 = 100

SELECT t.trace_id, t.version, t.experiment, t.start_ms, t.duration_ms, t.part_ns
FROM (
(SELECT t.trace_id, t.version, t.experiment, t.start_ms, t.duration_ms, t.part_ns
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND t.duration_ms >= {p1:Int64}
  AND has(t.pairs, {p2:String})
ORDER BY t.duration_ms DESC, t.start_ms DESC, t.trace_id ASC
LIMIT {p3:Int64})
UNION ALL
(SELECT t.trace_id, t.version, t.experiment, t.start_ms, t.duration_ms, t.part_ns
FROM trace AS t
WHERE t.experiment = {p4:Int64}
  AND t.is_gone = 0
  AND t.duration_ms >= {p5:Int64}
  AND has(t.pairs, {p6:String})
ORDER BY t.duration_ms DESC, t.start_ms DESC, t.trace_id ASC
LIMIT {p7:Int64})
) AS t
ORDER BY t.duration_ms DESC, t.start_ms DESC, t.trace_id ASC
LIMIT {p8:Int64}
-- p0 = 0
-- p1 = 7000
-- p2 = 'tags 3 envprod'
-- p3 = 101
-- p4 = 7
-- p5 = 7000
-- p6 = 'tags 3 envprod'
-- p7 = 101
-- p8 = 101
