"""The program of SecantusDB, with a limit for transactions and without its leak of memory.

It is run by its path, with the seconds of a transaction before SecantusDB's own arguments.
"""

import ctypes
import sys
from functools import partial
from typing import Any

import wiredtiger
from secantus import cli


def release_when_closed(proxy: type[Any]) -> None:
    """Make `close` of a class of the WiredTiger binding free the object.

    The binding counts one reference for C and forgets to give it back, so every closed cursor stays
    in memory with the last document that it wrote: 5 KB for each transaction. A version that gives
    it back is left alone.
    """
    close = proxy.close

    def close_and_release(self: Any, *arguments: Any) -> Any:
        was_open, references = self.this is not None, sys.getrefcount(self)
        try:
            return close(self, *arguments)
        finally:
            if was_open and sys.getrefcount(self) == references:
                ctypes.pythonapi.Py_DecRef(ctypes.py_object(self))

    proxy.close = close_and_release


if __name__ == "__main__":
    release_when_closed(wiredtiger.Cursor)
    release_when_closed(wiredtiger.Session)
    # The command line has no option for this limit, but the server's class has a parameter.
    cli.SecantusDBServer = partial(
        cli.SecantusDBServer, transaction_lifetime_seconds=float(sys.argv.pop(1))
    )
    raise SystemExit(cli.main())
