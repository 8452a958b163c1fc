#!/bin/sh
# usage: check.sh [quick|full]: check each configuration of table.txt and print a row for each.
# `full` adds the large configurations. TRAILS=folder keeps the counterexamples for show.sh.
# Exit 1: a result differs from the table. Exit 3: a tool is missing, nothing was checked.
set -u
here=$(cd "$(dirname "$0")" && pwd)
level=${1:-quick}
for tool in spin gcc; do
    if ! command -v "$tool" > /dev/null; then
        echo "The model of leases and barrier was NOT checked: $tool is missing. Install it with: apt-get install spin gcc" >&2
        exit 3
    fi
done
[ -z "${TRAILS-}" ] || mkdir -p "$TRAILS"
differ=0
echo '| result | expected | name | broken | states | seconds |'
echo '|---|---|---|---|---|---|'
while read -r when expected name options; do
    case "$when" in '#') continue ;; full) [ "$level" = full ] || continue ;; esac
    search=
    case "$expected $options" in *-DENDS*) ;; breaks*) search=-DBFS ;; esac
    # shellcheck disable=SC2086 - the options are separate words
    result=$(TRAIL=${TRAILS:+$TRAILS/$name.trail} "$here/run.sh" $options $search < /dev/null)
    case "$expected ${result%% *}" in
        'holds 0' | 'breaks 1') verdict=ok ;;
        *) verdict=DIFFERS differ=1 ;;
    esac
    # shellcheck disable=SC2086 - errors, states, seconds and the broken property
    set -- ${result:-none 0 0 -}
    echo "| $verdict | $expected | $name | $4 | $2 | $3 |"
done < "$here/table.txt"
exit $differ
