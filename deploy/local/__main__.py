"""The program behind `make run`; Ctrl-C during the imports ends it without a traceback."""

import gc
import signal
import sys

gc.disable()  # until the product has started: a fifth of the time that the imports take
signal.signal(signal.SIGINT, signal.SIG_DFL)

from deploy.local.run import main  # noqa: E402 - the import takes about a second

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
