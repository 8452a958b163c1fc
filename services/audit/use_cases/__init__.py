"""The use cases of audit: record every row, search the records, show one."""
