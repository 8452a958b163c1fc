"""Run the command `rolecall`."""

import sys

from rolecall.cli.command import main

if __name__ == "__main__":
    sys.exit(main())
