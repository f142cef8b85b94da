SELECT t.experiment, max(t.experiment_name)
FROM `main`.`tracehound`.trace AS t
GROUP BY t.experiment

SELECT t.experiment_name
FROM `main`.`tracehound`.trace AS t
WHERE try_element_at(t.metadata, :p0) = :p1
LIMIT 1
-- p0 = 'mlflow.sourceRun'
-- p1 = 'r-1'
