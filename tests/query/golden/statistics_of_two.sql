SELECT t.name, (t.start_ms + ?) / ? - ?, count(*), sum(t.state = 'ERROR'), max(t.duration_ms), group_concat(t.duration_bucket)
FROM (SELECT p.experiment, p.start_ms, p.trace FROM posting AS p WHERE p.term = ? AND p.experiment = ?) AS found CROSS JOIN trace AS t INDEXED BY trace_by_start
WHERE t.experiment = found.experiment
  AND t.start_ms = +found.start_ms
  AND t.seq = found.trace
  AND EXISTS (SELECT 1 FROM posting AS q WHERE q.term = ? AND q.experiment = found.experiment AND q.start_ms = found.start_ms AND q.trace = found.trace)
GROUP BY 1, 2

-- parameters: 15461882265600000, 3600000, 4294967296, 4324071472995704518, 0, 7942323605948860306
-- plan:
-- SEARCH p USING PRIMARY KEY (term=? AND experiment=?)
-- SEARCH q USING PRIMARY KEY (term=? AND experiment=? AND start_ms=? AND trace=?)
-- SEARCH t USING COVERING INDEX trace_by_start (experiment=? AND start_ms=?)
-- USE TEMP B-TREE FOR GROUP BY
