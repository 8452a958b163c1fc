"""The services of the platform; each is a package of one shape."""
