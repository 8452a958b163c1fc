"""Where do the mails go that a development installation sends? To a page, and nowhere else."""

from deploy.mailcatcher.catcher import MailCatcher

__all__ = ["MailCatcher"]
