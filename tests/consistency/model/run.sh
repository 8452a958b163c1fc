#!/bin/sh
# usage: run.sh [-D...]: check one configuration; prints errors, states, seconds and the broken property.
# Exit 0: the checker ran. TRAIL=file keeps the counterexample.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
case " $* " in
    *" -DENDS "*) kind=-DNFAIR=4 search="-a -f" ;;
    *" -DBFS "*) kind="-O0 -DSAFETY -DNOFAIR -DBFS" search= ;;
    *) kind="-DSAFETY -DNOFAIR" search= ;;
esac
spin "$@" -a "$here/protocol.pml" > made 2>&1 || { cat made >&2; exit 2; }
gcc -O2 $kind -w -DCOLLAPSE -DVECTORSZ=2048 -o pan pan.c
./pan -m300000 -w25 $search > out 2>&1 || true
if [ -f protocol.pml.trail ] && [ -n "${TRAIL-}" ]; then cp protocol.pml.trail "$TRAIL"; fi
awk '/errors: / { errors = $0; sub(/.*errors: /, "", errors) }
     /states, stored/ { states = $1 }
     /elapsed time/ { seconds = $4 }
     /max search depth too small|out of memory/ { errors = "unfinished" }
     /assertion violated.*acknowledged==1.*process/ { broken = "P1" }
     /assertion violated.*present\[durable\]/ { broken = "P2" }
     /assertion violated.*ended|acceptance cycle/ { broken = "P3" }
     /assertion violated.*present\[process/ { broken = "P4" }
     /assertion violated.*rule/ { broken = "P5" }
     /assertion violated.*acknowledged==2/ { broken = "P6" }
     END { printf "%s %d %.1f %s\n", errors == "" ? "unfinished" : errors, states, seconds, broken == "" ? "-" : broken }' out
