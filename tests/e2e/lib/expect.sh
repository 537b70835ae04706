# shellcheck shell=bash
# What the end-to-end tests share; they source it and run in a fresh folder of their own. STRATA is the command,
# BUILD its build folder, SOURCE the source tree.

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# expect_code CODE COMMAND...: runs it and compares its exit code. What it printed is in the files out and err.
expect_code() {
    local want=$1 got=0
    shift
    "$@" >out 2>err || got=$?
    if [ "$got" -ne "$want" ]; then
        cat out err >&2
        fail "exit code $got instead of $want from: $*"
    fi
}

# expect_text FILE TEXT: the file holds this text.
expect_text() {
    grep -qF -- "$2" "$1" || { cat "$1" >&2; fail "not in $1: $2"; }
}

# number FILE KEY: the last value of a JSON number in a file of JSON lines.
number() {
    sed -nE "s/.*\"$2\": *([-+0-9.eE]+).*/\\1/p" "$1" | tail -n 1
}

# expect_number CONDITION: an awk condition on numbers, such as "0.93 >= 0.9".
expect_number() {
    awk "BEGIN { exit !($1) }" || fail "not so: $1"
}
