"""The pure rules of authz: what may be asked, and when a replica may answer."""
