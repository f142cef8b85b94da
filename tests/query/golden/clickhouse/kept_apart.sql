-- metadata.`mlflow.traceInputs` CONTAINS 'why': exact
SELECT (the columns of ROW)
FROM trace AS t
WHERE t.experiment = {p0:Int64}
  AND t.is_gone = 0
  AND ifNull(position(if(mapContains(t.apart, {p1:String}), t.apart[{p2:String}], NULL), {p3:String}) > 0, 0)
ORDER BY t.start_ms DESC, t.trace_id ASC
LIMIT {p4:Int64}
-- p0 = 0
-- p1 = 'mlflow.traceInputs'
-- p2 = 'mlflow.traceInputs'
-- p3 = 'why'
-- p4 = 101
