"""The JSON of MLflow's REST API: protobuf's JSON with names in snake case."""
