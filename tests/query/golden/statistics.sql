SELECT t.name, (t.start_ms + ?) / ? - ?, count(*), sum(t.state = 'ERROR'), max(t.duration_ms), group_concat(t.duration_bucket)
FROM trace AS t
WHERE t.experiment = ?
GROUP BY 1, 2

-- parameters: 15461882265600000, 3600000, 4294967296, 0
-- plan:
-- SEARCH t USING COVERING INDEX trace_by_start (experiment=?)
-- USE TEMP B-TREE FOR GROUP BY
