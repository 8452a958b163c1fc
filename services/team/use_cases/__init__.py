"""How does team do what it is asked: load, decide, save with the facts?"""
