"""What talks to the sources of the journals."""
