#!/usr/bin/env bash
# Whatever the number of ranks and their shares: the same samples in the same order, and dropout drops the same of them. And
# a rank whose weights are not those of the others is found and named.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

ranks=$BUILD/tests/test-fit-ranks
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # see dist.sh

"$ranks" masks | sort >one
[ "$(wc -l <one)" -eq 74 ] || fail "not two epochs of 37 samples"
[ "$(cut -d' ' -f4 one | sort -u | wc -l)" -eq 37 ] || fail "some samples never come"
[ "$(cut -d' ' -f5 one | sort -u | wc -l)" -ge 70 ] || fail "samples share their masks"

# alike RANKS [SHARE...]
alike() {
    expect_code 0 timeout 100 mpirun -n "$1" "$ranks" masks "${@:2}"
    sort out | diff one - >differences || { cat differences; fail "$* ranks see other samples or masks than one"; }
}

alike 2
alike 3
alike 2 1 4
alike 3 5 0.1 2

for n in 2 3; do
    expect_code 77 timeout 100 mpirun -n $n "$ranks" flip
    expect_text err "epoch 1, step 100: the ranks do not have the same weights: rank $((n - 1)) on "
done
