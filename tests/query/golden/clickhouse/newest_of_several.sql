SELECT experiment, min(start_ms), max(start_ms), count()
FROM (
(SELECT t.experiment, t.start_ms FROM trace AS t WHERE t.experiment = {p0:Int64} ORDER BY t.start_ms DESC LIMIT {p1:Int64})
UNION ALL
(SELECT t.experiment, t.start_ms FROM trace AS t WHERE t.experiment = {p2:Int64} ORDER BY t.start_ms DESC LIMIT {p3:Int64})
)
GROUP BY experiment
-- p0 = 0
-- p1 = 6000
-- p2 = 7
-- p3 = 6000
