WITH arraySort(groupArray(t.duration_bucket)) AS buckets
SELECT t.name AS key0, intDiv(t.start_ms + {p0:Int64}, {p1:Int64}) - {p2:Int64} AS key1, count(), countIf(t.state = 'ERROR'), count(t.duration_ms), 0, NULL, max(t.duration_ms), buckets[greatest(1, toUInt64(ceil({p3:Float64} * length(buckets))))], buckets[greatest(1, toUInt64(ceil({p4:Float64} * length(buckets))))]
FROM trace AS t FINAL
WHERE t.experiment IN {p5:Array(Int64)}
GROUP BY key0, key1
-- p0 = 15461882265600000
-- p1 = 3600000
-- p2 = 4294967296
-- p3 = 0.5
-- p4 = 0.95
-- p5 = [0]
