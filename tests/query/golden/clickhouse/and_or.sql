-- tags.env = 'prod' AND (attributes.status = 'ERROR' OR metadata.ver = '2'): exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND (has(t.pairs, {p1:String}) AND (t.state = {p2:String} OR has(t.pairs, {p3:String})))
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p4:Int64}
-- p0 = 0
-- p1 = 'tags 3 envprod'
-- p2 = 'ERROR'
-- p3 = 'metadata 3 ver2'
-- p4 = 101
