"""What the services say to each other: facts, things, topology."""
