"""The contracts between the services: facts, policy objects, internal calls and topology."""
