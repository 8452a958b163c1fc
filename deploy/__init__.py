"""Deployment: containers, gateway, mail catcher and the one-process runner."""
