"""Who is told what, and did the mail arrive?"""
