CREATE TABLE IF NOT EXISTS migration (number UInt32, made DateTime DEFAULT now())
ENGINE = ReplacingMergeTree()
ORDER BY (number);

CREATE TABLE IF NOT EXISTS trace (
    experiment Int64 CODEC(Delta, ZSTD(1)) SETTINGS (min_compress_block_size = 2048, max_compress_block_size = 4096),
    start_ms Int64 CODEC(Delta, ZSTD(1)),
    trace_id String CODEC(ZSTD(1)) SETTINGS (min_compress_block_size = 2048, max_compress_block_size = 4096),
    version UInt32 CODEC(ZSTD(1)) SETTINGS (min_compress_block_size = 2048, max_compress_block_size = 4096),
    is_gone UInt8 CODEC(ZSTD(1)) SETTINGS (min_compress_block_size = 2048, max_compress_block_size = 4096),
    arrived Int64 CODEC(Delta, ZSTD(1)),
    duration_ms Nullable(Int64) CODEC(T64, LZ4),
    duration_bucket Nullable(Int16) CODEC(T64, LZ4),
    state LowCardinality(String),
    name LowCardinality(String),
    request_preview Nullable(String) CODEC(ZSTD(3)),
    response_preview Nullable(String) CODEC(ZSTD(3)),
    client_request_id Nullable(String) CODEC(ZSTD(1)),
    tags Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    tags_numbers Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
    metadata Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    metadata_numbers Map(LowCardinality(String), Float64) CODEC(ZSTD(1)),
    apart Map(LowCardinality(String), String) CODEC(ZSTD(3)),
    input_tokens Nullable(Float64) CODEC(ZSTD(1)),
    output_tokens Nullable(Float64) CODEC(ZSTD(1)),
    total_tokens Nullable(Float64) CODEC(ZSTD(1)),
    cost Nullable(Float64) CODEC(ZSTD(1)),
    span_count Nullable(Float64) CODEC(ZSTD(1)),
    assessments String CODEC(ZSTD(3)),
    said_group Array(LowCardinality(String)),
    said_name Array(LowCardinality(String)),
    said_text Array(String) CODEC(ZSTD(1)),
    said_number Array(Nullable(Float64)) CODEC(ZSTD(1)),
    said_boolean Array(Nullable(UInt8)) CODEC(ZSTD(1)),
    span_name Array(LowCardinality(String)),
    span_type Array(LowCardinality(Nullable(String))),
    span_status Array(LowCardinality(String)),
    span_status_message Array(Nullable(String)) CODEC(ZSTD(1)),
    span_duration_ms Array(Nullable(Int64)) CODEC(ZSTD(1)),
    span_model Array(LowCardinality(Nullable(String))),
    span_input_tokens Array(Nullable(Float64)) CODEC(ZSTD(1)),
    span_output_tokens Array(Nullable(Float64)) CODEC(ZSTD(1)),
    span_total_tokens Array(Nullable(Float64)) CODEC(ZSTD(1)),
    span_cost Array(Nullable(Float64)) CODEC(ZSTD(1)),
    span_terms Array(Int64) CODEC(ZSTD(1)),
    span_keys Array(String) DEFAULT arrayDistinct(arrayConcat(arrayMap((n, d) -> concat(toString(roundDown(d - 1, [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 400, 500, 600, 800, 1000, 1200, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000, 10000, 12000, 15000, 20000, 25000, 30000, 40000, 50000, 60000, 80000, 100000, 120000, 150000, 200000, 250000, 300000, 400000, 500000, 600000, 800000, 1000000, 1200000, 1500000, 2000000, 2500000, 3000000, 4000000, 5000000, 6000000, 8000000, 10000000, 12000000, 15000000, 20000000, 25000000, 30000000, 40000000, 50000000, 60000000, 80000000, 100000000])), ' ', substringUTF8(n, 1, 200)), arrayFilter((n, d) -> isNotNull(d), span_name, span_duration_ms), arrayMap(d -> assumeNotNull(d), arrayFilter(d -> isNotNull(d), span_duration_ms))), arrayMap(t -> concat('=', toString(t % 4294967296)), span_terms))) CODEC(ZSTD(3)) SETTINGS (min_compress_block_size = 4194304, max_compress_block_size = 4194304),
    words String CODEC(ZSTD(2, 22)) SETTINGS (min_compress_block_size = 4194304, max_compress_block_size = 4194304),
    part_ns Array(Int64) CODEC(ZSTD(1)) SETTINGS (min_compress_block_size = 2048, max_compress_block_size = 4096),
    part_digests Array(UInt32) CODEC(ZSTD(1)),
    part_ended Array(UInt8) CODEC(ZSTD(1)),
    running Array(LowCardinality(String)),
    pairs Array(String) MATERIALIZED arrayConcat(arrayMap((k, v) -> concat('tags ', toString(length(k)), ' ', k, substring(v, 1, if(k = 'mlflow.artifactLocation', 0, 200))), mapKeys(tags), mapValues(tags)), arrayMap((k, v) -> concat('metadata ', toString(length(k)), ' ', k, substring(v, 1, if(k = 'mlflow.artifactLocation', 0, 200))), mapKeys(metadata), mapValues(metadata))) CODEC(ZSTD(3)),
    INDEX pairs_index pairs TYPE text(tokenizer = 'array'),
    INDEX keys_index span_keys TYPE text(tokenizer = 'array'),
    INDEX metadata_keys mapKeys(metadata) TYPE bloom_filter(0.01),
    INDEX id_index trace_id TYPE bloom_filter(0.01),
    INDEX client_index client_request_id TYPE bloom_filter(0.01),
    INDEX terms_index span_terms TYPE bloom_filter(0.01),
    INDEX state_index state TYPE set(4),
    INDEX name_index name TYPE set(100),
    INDEX duration_index duration_ms TYPE minmax,
    INDEX arrived_index arrived TYPE minmax,
    INDEX words_index words TYPE text(tokenizer = splitByString([' ']), posting_list_codec = 'bitpacking')
)
ENGINE = ReplacingMergeTree(version, is_gone)
ORDER BY (experiment, start_ms, trace_id)
SETTINGS index_granularity = 256, merge_selector_base = 32, vertical_merge_algorithm_min_rows_to_activate = 1;

CREATE TABLE IF NOT EXISTS part (
    written_ns Int64 CODEC(Delta, ZSTD(1)),
    trace_id String CODEC(ZSTD(1)),
    digest UInt32,
    payload String CODEC(ZSTD(3)) SETTINGS (min_compress_block_size = 32768, max_compress_block_size = 1048576)
)
ENGINE = ReplacingMergeTree()
ORDER BY (written_ns, trace_id, digest)
SETTINGS index_granularity = 8, merge_selector_base = 32, min_compress_block_size = 2048, max_compress_block_size = 4096;

CREATE TABLE IF NOT EXISTS said (
    trace_id String CODEC(ZSTD(1)),
    kind LowCardinality(String),
    what LowCardinality(String),
    key String CODEC(ZSTD(1)),
    written_ns Int64 CODEC(Delta, ZSTD(1)),
    digest UInt32,
    owner LowCardinality(String),
    value Nullable(String) CODEC(ZSTD(1)),
    INDEX kind_index kind TYPE set(4),
    INDEX owner_index owner TYPE set(100)
)
ENGINE = ReplacingMergeTree()
ORDER BY (trace_id, kind, what, key, written_ns, digest)
SETTINGS index_granularity = 64, min_compress_block_size = 2048, max_compress_block_size = 4096;

CREATE TABLE IF NOT EXISTS head (
    trace_id String CODEC(ZSTD(1)),
    experiment Int64 CODEC(ZSTD(1)),
    start_ms Int64 CODEC(ZSTD(1)),
    version UInt32 CODEC(ZSTD(1)),
    is_gone UInt8 CODEC(ZSTD(1)),
    arrived Int64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (trace_id, experiment, start_ms)
SETTINGS index_granularity = 64, min_compress_block_size = 2048, max_compress_block_size = 4096;

CREATE TABLE IF NOT EXISTS revised (
    trace_id String CODEC(ZSTD(1)),
    experiment Int64 CODEC(ZSTD(1)),
    start_ms Int64 CODEC(ZSTD(1)),
    version UInt32 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (trace_id, experiment, start_ms)
SETTINGS index_granularity = 64, min_compress_block_size = 2048, max_compress_block_size = 4096;

CREATE TABLE IF NOT EXISTS fact (
    kind LowCardinality(String),
    subject String,
    key String,
    written_ns Int64,
    digest UInt32,
    value Nullable(String) CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree()
ORDER BY (kind, subject, key, written_ns, digest);

CREATE TABLE IF NOT EXISTS experiment (
    id Int64,
    name String
)
ENGINE = ReplacingMergeTree()
ORDER BY (id);

CREATE TABLE IF NOT EXISTS segment (
    name String,
    position Int64,
    moment Int64,
    is_gone UInt8
)
ENGINE = ReplacingMergeTree(moment, is_gone)
ORDER BY (name);

CREATE MATERIALIZED VIEW IF NOT EXISTS head_of_trace TO head AS SELECT trace_id, experiment, start_ms, version, is_gone, arrived FROM trace;

CREATE MATERIALIZED VIEW IF NOT EXISTS revised_trace TO revised AS SELECT trace_id, experiment, start_ms, version FROM trace WHERE version > 1;
