"""Pictures of every page of the console, with what is wrong with each: `make pictures`."""
