"""MLflow's REST API, as far as an unmodified client needs it; one row a route in `server.mlflow.routes`."""
