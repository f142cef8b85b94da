"""A server seen as a store: the contract of `store.api`, asked over HTTP."""
