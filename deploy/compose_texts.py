"""What `make up` tells."""

WELCOME = """
Rolecall is ready.

  Pages     {url}/sign-up
  API       {url}          all routes: {url}/docs
  Mail      {mail}

Create your first service client:
  {command} exec identity {create_client}

`make down` stops the product and keeps the data.
"""
SILENT = """\
These services do not answer yet: {silent}. Read their logs with `{command} logs`.
Data created with other secrets than those in {folder} cannot be opened. Restore secrets.json
and database.json of these data from a backup, then run `make up` again
(docs/operations/backups.md). Only if no one needs the data, delete them with
`{command} down --volumes`.
"""


def welcome(*, url: str, mail: str, command: str, create_client: str) -> str:
    """What is told when the product answers; `mail` says where its mails are."""
    return WELCOME.format(url=url, mail=mail, command=command, create_client=create_client)
