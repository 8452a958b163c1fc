"""The mail catcher: an SMTP server that shows every mail on a web page and delivers none."""

from deploy.mailcatcher.catcher import MailCatcher

__all__ = ["MailCatcher"]
