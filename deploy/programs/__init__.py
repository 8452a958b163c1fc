"""Which servers can we run as our own children, for `make run` and for the tests?"""
