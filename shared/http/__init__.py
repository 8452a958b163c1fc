"""The HTTP layer: ROUTES tables become public and internal interfaces, with their documents."""
