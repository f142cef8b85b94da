"""A store behind HTTP: `create_app(store, settings)` in `server.app`, one row a route in `server.routes`."""
