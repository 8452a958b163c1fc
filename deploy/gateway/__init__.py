"""The gateway: nginx, with its locations generated from the ROUTES tables."""
