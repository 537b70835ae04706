#!/usr/bin/env bash
# What the command says of itself: help, version, completion; and to words that it does not know.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

# silent FILE: nothing was printed there.
silent() {
    [ ! -s "$1" ] || { cat "$1" >&2; fail "$1 is not empty"; }
}

expect_code 0 "$STRATA" --version
grep -qE '^strata [0-9]+\.[0-9]+\.[0-9]+$' out || fail "no version: $(cat out)"
silent err

expect_code 0 "$STRATA" help
cp out help
for verb in devices summary new check fit evaluate predict extract convert weights plot bench selftest completion help; do
    grep -qE "^  $verb +[a-z\"]" help || fail "strata help does not list $verb"
    expect_code 0 "$STRATA" help $verb
    expect_text out "strata $verb "
    cp out by_verb
    expect_code 0 "$STRATA" $verb --help
    cmp -s out by_verb || fail "strata $verb --help is not strata help $verb"
done
expect_code 0 "$STRATA" --help
cmp -s out help || fail '--help is not help'

for topic in layers activations initializers regularizers constraints optimizers schedules losses metrics callbacks job; do
    expect_code 0 "$STRATA" help $topic
    [ -s out ] || fail "strata help $topic is empty"
done
expect_code 0 "$STRATA" help layers
expect_text out '  units                    integer, from 1 to 1e+09 (required)'
expect_code 0 "$STRATA" help optimizers --json
expect_text out '{"topic":"optimizers","text":"'

# ---- words it does not know: exit code 64, the nearest it knows, nothing on stdout ----

expect_code 64 "$STRATA"
expect_text err 'error: no verb; "strata help" lists what there is'
expect_code 64 "$STRATA" evalute
expect_text err 'error: unknown verb "evalute"; did you mean "evaluate"?'
silent out
expect_code 64 "$STRATA" devices --jsn
expect_text err 'error: unknown option "--jsn"; did you mean "--json"?'
expect_code 64 "$STRATA" help optimizer
expect_text err 'error: no help for "optimizer"; did you mean "optimizers"?'
expect_code 64 "$STRATA" summary
expect_text err 'usage: strata summary MODEL'
expect_code 64 "$STRATA" predict model.h5
expect_text err 'error: predict: --data is missing'
expect_code 64 "$STRATA" predict model.h5 --data x.npz -o out.txt
expect_text err 'error: out.txt: results are written as .h5, .npy or .csv'
expect_code 64 "$STRATA" bench W9
expect_text err 'error: no workload "W9"; there are W1, W2, W3, W4, W5a, W5b'
expect_code 64 "$STRATA" bench --products 0
expect_text err '--products is "0"; a number above 0 is expected'
expect_code 64 "$STRATA" bench W5a --width 2
expect_text err 'error: W5a has a pretrained base, which has one width; leave --width out'

# ---- devices ----

expect_code 0 "$STRATA" devices
expect_text out 'platform'
expect_code 0 "$STRATA" devices --json
grep -qE '^\{"index":0,"platform":".*"class":"(cpu|gpu)".*"compute_units":[1-9]' out || fail "no device: $(cat out)"
[ "$(grep -c '"auto":true' out)" -eq 1 ] || fail 'one device is the automatic one'

# a result that cannot be written is a failure
expect_code 71 bash -c "'$STRATA' help >/dev/full"
expect_text err 'error: the results could not be written to stdout'

# ---- completion ----

expect_code 64 "$STRATA" completion fish
expect_code 0 "$STRATA" completion zsh
expect_text out '#compdef strata'
if command -v zsh >/dev/null; then zsh -n out || fail 'zsh does not take its completion'; fi
expect_code 0 "$STRATA" completion bash
cp out completion.bash
complete_line() { # WORD...: what bash would offer for the last word
    bash -c 'source ./completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _strata; printf "%s\n" "${COMPREPLY[@]}"' \
        complete "$@"
}
[ "$(complete_line strata ev)" = evaluate ] || fail 'completion of a verb'
[ "$(complete_line strata summary --sty)" = --style ] || fail 'completion of an option'
[ "$(complete_line strata summary m.h5 --style '' | tr '\n' ' ')" = 'keras2 keras3 ' ] || fail 'completion of a value'
[ "$(complete_line strata summary help)" = help ] || fail 'completion of a file'
