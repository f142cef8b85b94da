# For hands that type make; all of it is in ./dev.
.PHONY: demo test check lint format setup
demo test check lint format setup:
	@python3 dev $@
