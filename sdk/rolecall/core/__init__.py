"""The decision core: catalogs, compiled matrices and `decide()`. Pure, without I/O or a clock."""
