SELECT (t.start_ms + ?) / ? - ?, count(*), sum(t.state = 'ERROR'), total(t.input_tokens), count(t.input_tokens), total(t.output_tokens), count(t.output_tokens), total(t.total_tokens), count(t.total_tokens), total(t.cost), count(t.cost)
FROM (SELECT p.experiment, p.start_ms, p.trace FROM posting AS p WHERE p.term = ? AND p.experiment = ?) AS found CROSS JOIN trace AS t INDEXED BY trace_by_start
WHERE t.experiment = found.experiment
  AND t.start_ms = +found.start_ms
  AND t.seq = found.trace
GROUP BY 1

-- parameters: 15461882265600000, 3600000, 4294967296, 4324071472995704518, 0
-- plan:
-- SEARCH p USING PRIMARY KEY (term=? AND experiment=?)
-- SEARCH t USING COVERING INDEX trace_by_start (experiment=? AND start_ms=?)
-- USE TEMP B-TREE FOR GROUP BY
