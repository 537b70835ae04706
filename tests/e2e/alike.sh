#!/usr/bin/env bash
# Whatever the number of ranks and their shares: the same samples in the same order, and dropout drops the same of them. A rank whose
# weights are not those of the others is found and named. All are told the same numbers, and where one wants to stop, all do.
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

# Every step, which waits for what is told; and now and then, while the next step runs.
for seconds in 0 0.001; do
    expect_code 0 timeout 100 mpirun -n 2 "$ranks" stop $seconds
    sed -n 's/^0: //p' out >first
    sed -n 's/^1: //p' out | diff first - || fail "the ranks are told different numbers"
    [ "$(wc -l <first)" -ge 2 ] || fail "nothing is told"
    last=$(tail -n 1 first | sed 's/step \([0-9]*\),.*/\1/')
    [ "$last" -ge 5 ] && [ "$last" -lt 250 ] || fail "all stop at step $last, where one wants to after 5"
done
