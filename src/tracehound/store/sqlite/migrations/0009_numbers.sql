-- The numbers of a trace that filters, orders and statistics ask for, beside the JSON that they stand in; NULL for none.
-- The columns have no type: whole numbers stay whole.
ALTER TABLE trace ADD COLUMN input_tokens;
ALTER TABLE trace ADD COLUMN output_tokens;
ALTER TABLE trace ADD COLUMN total_tokens;
ALTER TABLE trace ADD COLUMN cost;
ALTER TABLE trace ADD COLUMN span_count;
DROP INDEX trace_by_start;
UPDATE trace SET
    input_tokens = tracehound_number_at(metadata, 'mlflow.trace.tokenUsage', 'input_tokens'),
    output_tokens = tracehound_number_at(metadata, 'mlflow.trace.tokenUsage', 'output_tokens'),
    total_tokens = tracehound_number_at(metadata, 'mlflow.trace.tokenUsage', 'total_tokens'),
    cost = tracehound_number_at(metadata, 'mlflow.trace.cost', 'total_cost'),
    span_count = tracehound_number_at(metadata, 'mlflow.trace.sizeStats', 'num_spans');

-- Newest first, with all that statistics group and add up, so that with any filter they never read a row.
CREATE INDEX trace_by_start ON trace (
    experiment, start_ms DESC, trace_id, name, state, duration_bucket, duration_ms,
    input_tokens, output_tokens, total_tokens, cost, span_count
);
-- Most expensive first; those without a cost stand at the end, newest first.
CREATE INDEX trace_by_cost ON trace (experiment, cost DESC, start_ms DESC);
-- Most tokens first.
CREATE INDEX trace_by_tokens ON trace (experiment, total_tokens DESC, start_ms DESC);
