-- tags.env IN ('prod', 'dev') OR attributes.latency IS NULL: exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND (t.duration_ms IS NULL OR hasAny(t.pairs, {p1:Array(String)}))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p2:Int64}
-- p0 = 0
-- p1 = ['tags 3 envprod', 'tags 3 envdev']
-- p2 = 101
