"""Requests to receivers that customers chose: webhooks, and streams of the audit log."""
