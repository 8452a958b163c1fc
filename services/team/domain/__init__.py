"""What are the rules of accounts, members, invitations, projects and overrides? Pure: no I/O."""
