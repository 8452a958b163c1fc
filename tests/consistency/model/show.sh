#!/bin/sh
# usage: show.sh FILE [-D...]: print the steps of a counterexample that run.sh kept, with the same -D.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
trail=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
shift
cd "$here"
spin "$@" -k "$trail" -t -p protocol.pml 2>&1 |
    awk '/^ *[0-9]+:\tproc/ { if ($1 != step && $0 !~ /run |Starting/) { sub(/\(state [0-9-]+\)/, ""); print } step = $1 }
         /assertion violated/ { print }'
