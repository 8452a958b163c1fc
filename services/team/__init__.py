"""Who is in which account, with which role, and who is invited?"""
