"""The rules of identity: pure functions over frozen rows, without I/O, clock or randomness."""
