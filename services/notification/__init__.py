"""Notification turns facts into mails and delivers each mail once."""
