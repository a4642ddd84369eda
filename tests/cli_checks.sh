# What the tests of the command line are written with. To be sourced in a temporary directory, with
# the program's path in $resmark; a test ends with the number of $checks and $failures.
# shellcheck shell=bash
resmark=${resmark:?the program to test}
checks=0
failures=0

fail() {
    printf 'FAIL: %s\n' "$*"
    failures=$((failures + 1))
}

# check WHAT COMMAND...: the command must succeed.
check() {
    local what=$1
    shift
    checks=$((checks + 1))
    "$@" || fail "$what"
}

# refuses STATUS TEXT COMMAND...: it must end with the status, and say one line with TEXT in it.
refuses() {
    local status=$1 text=$2 actual=0
    shift 2
    timeout 120 "$@" >stdout 2>stderr </dev/null || actual=$?
    check "$*: status $actual instead of $status" test "$actual" -eq "$status"
    check "$*: not one line: $(cat stderr)" test "$(wc -l <stderr)" -eq 1
    check "$*: no '$text' in: $(cat stderr)" grep -qF -e "$text" stderr
    check "$*: control characters in: $(cat -v stderr)" test -z "$(tr -d '[:print:]\n' <stderr)"
    check "$*: output all the same" test ! -s stdout
    check "$*: left a piece of a file: $(echo ./*.part)" test -z "$(compgen -G '*.part')"
}

# The best ISA that is usable here, to be quick.
best_isa() {
    "$resmark" info --json | python3 -c '
import json, sys
print([isa["name"] for isa in json.load(sys.stdin)["isas"] if isa["usable"]][-1])'
}
