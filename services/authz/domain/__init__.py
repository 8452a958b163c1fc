"""The pure rules and the state of authz: what may be asked, decided and answered."""
