SELECT experiment, minIf(start_ms, is_new = 1), max(start_ms), countIf(is_new = 1), min(start_ms)
FROM (
(SELECT t.experiment, t.start_ms, 1 AS is_new FROM trace AS t WHERE t.experiment = {p0:Int64} ORDER BY t.start_ms DESC LIMIT {p1:Int64})
UNION ALL
(SELECT t.experiment, t.start_ms, 0 FROM trace AS t WHERE t.experiment = {p2:Int64} ORDER BY t.start_ms LIMIT 1)
UNION ALL
(SELECT t.experiment, t.start_ms, 1 AS is_new FROM trace AS t WHERE t.experiment = {p3:Int64} ORDER BY t.start_ms DESC LIMIT {p4:Int64})
UNION ALL
(SELECT t.experiment, t.start_ms, 0 FROM trace AS t WHERE t.experiment = {p5:Int64} ORDER BY t.start_ms LIMIT 1)
)
GROUP BY experiment
-- p0 = 0
-- p1 = 6000
-- p2 = 0
-- p3 = 7
-- p4 = 6000
-- p5 = 7
