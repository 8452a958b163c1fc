"""What audit uses outside of its database."""
