"""What notification talks to: the mail server, and the services that make links."""
