"""What happened, to what, by whom, when, and how did it end?"""
