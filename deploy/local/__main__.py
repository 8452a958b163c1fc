"""`make run`: until the product can stop cleanly, Ctrl-C ends it at once, without a traceback."""

import signal

signal.signal(signal.SIGINT, signal.SIG_DFL)

from deploy.local.run import main  # noqa: E402 - the import itself takes a second

if __name__ == "__main__":
    raise SystemExit(main())
