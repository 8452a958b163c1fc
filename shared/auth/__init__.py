"""Authentication: access tokens, internal tokens, keys and the principals they prove."""
