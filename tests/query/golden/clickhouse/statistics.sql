SELECT t.name AS key0, if(mapContains(t.tags, {p0:String}), t.tags[{p1:String}], NULL) AS key1, intDiv(t.start_ms + {p2:Int64}, {p3:Int64}) - {p4:Int64} AS key2, count(), countIf(t.state = 'ERROR'), count(t.duration_ms), sum(t.duration_ms), min(t.duration_ms), max(t.duration_ms), arraySort(groupArray(t.duration_bucket)), sum(t.input_tokens), count(t.input_tokens), sum(t.output_tokens), count(t.output_tokens), sum(t.total_tokens), count(t.total_tokens), sum(t.cost), count(t.cost), uniqExact(if(mapContains(t.metadata, {p5:String}), t.metadata[{p6:String}], NULL)), uniqExact(if(mapContains(t.metadata, {p7:String}), t.metadata[{p8:String}], NULL))
FROM trace AS t FINAL
WHERE t.experiment IN {p9:Array(Int64)}
  AND has(t.pairs, {p10:String})
GROUP BY key0, key1, key2
-- p0 = 'region'
-- p1 = 'region'
-- p2 = 15461882265600000
-- p3 = 3600000
-- p4 = 4294967296
-- p5 = 'mlflow.trace.user'
-- p6 = 'mlflow.trace.user'
-- p7 = 'mlflow.trace.session'
-- p8 = 'mlflow.trace.session'
-- p9 = [0]
-- p10 = 'tags 3 envprod'
