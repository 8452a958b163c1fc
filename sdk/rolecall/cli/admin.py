"""The commands for operators."""

from rolecall.cli.admin_accounts import add_account_commands
from rolecall.cli.admin_clients import add_client_commands
from rolecall.cli.admin_journals import add_journal_commands
from rolecall.cli.admin_keys import add_key_commands
from rolecall.cli.admin_restores import add_restore_commands
from rolecall.cli.admin_users import add_user_commands
from rolecall.cli.platform_log import add_platform_log_commands
from rolecall.cli.topics import Topics

_EXIT_CODES = "Exit codes: 0 done, 1 refused, 2 wrong usage or no answer."


def add_admin_commands(topics: Topics) -> None:
    """Add `rolecall admin`."""
    admin = topics.add_parser("admin", help="commands for operators")
    admin.epilog = _EXIT_CODES
    commands = admin.add_subparsers(required=True)
    add_client_commands(commands)
    add_user_commands(commands)
    add_account_commands(commands)
    add_key_commands(commands)
    add_restore_commands(commands)
    add_journal_commands(commands)
    add_platform_log_commands(commands)
