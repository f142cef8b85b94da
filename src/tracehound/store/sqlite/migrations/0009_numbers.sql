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
-- Most expensive first, of each 32,768 traces in the order of their arrival (`query.sqlite.SEGMENT`): what is written now
-- goes into the last of these segments, which is small. In one index of all of them each trace went to a page of its own.
CREATE INDEX trace_by_cost ON trace (experiment, seq / 32768, cost DESC, start_ms DESC);
-- Most tokens first.
CREATE INDEX trace_by_tokens ON trace (experiment, seq / 32768, total_tokens DESC, start_ms DESC);
