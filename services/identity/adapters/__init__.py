"""What identity needs from outside its database: password hashing and the signing keyring."""
