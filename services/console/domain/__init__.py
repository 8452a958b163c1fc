"""The rules of the pages, pure: sealing, cookies, origins, destinations."""
