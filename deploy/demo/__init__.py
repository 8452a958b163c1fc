"""A believable team in the running product, made through its public API: `make demo`."""
