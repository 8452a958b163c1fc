"""What the image of the services contains."""
