#!/usr/bin/env bash
# Several ranks: what they do together, and how a job ends when one of them fails, leaves or is killed.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

ranks=$BUILD/tests/test-ranks

expect_code 0 "$ranks" check
expect_text out 'ok with 1 ranks'

# MPI unloads its plug-ins before leaks are looked for, so that nobody can say whose they are: the run above looked
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0

for n in 1 2 3 4; do
    expect_code 0 timeout 100 mpirun -n $n "$ranks" check
    expect_text out "ok with $n ranks"
done

# all fail alike, with the code and the name of the rank that is to blame
expect_code 77 timeout 60 mpirun -n 3 "$ranks" disagree
expect_text err 'rank 0: the ranks do not have the same job: rank 2 on '
expect_text err 'rank 1: the ranks do not have the same job: rank 2 on '
expect_code 78 timeout 60 mpirun -n 3 "$ranks" fail
expect_text err 'rank 0: rank 2 on '
expect_text err ': this job is wrong'

expect_code 69 timeout 60 mpirun -n 2 "$ranks" device
expect_text err 'rank 0: rank 1 on '
expect_text err 'no such device'

# a rank that ends the job takes the waiting ones along
expect_code 71 timeout 60 mpirun -n 3 "$ranks" abort
expect_text err 'strata: rank 2 on '
expect_text err ' ends the job: nothing is left'

# after a call of MPI failed nothing is asked of it: what was under way would write to memory that is something else by then
expect_code 76 timeout 60 mpirun -n 2 "$ranks" broken
expect_text err ': breaking: '

# start: a job that never ends, in the background; its mpirun is $job, its ranks are in $pids
start() {
    : >log
    mpirun -n 2 "$ranks" endless >log 2>&1 &
    job=$!
    for _ in {1..300}; do
        grep -q training log && break
        sleep 0.1
    done
    grep -q training log || fail "the endless job does not train: $(cat log)"
    read -ra pids <<<"$(cat /proc/$job/task/*/children | tr -d '\n')"
    [ ${#pids[@]} -eq 2 ] || fail "${#pids[@]} ranks, not 2"
}

# gone_in SECONDS: no rank is left by then, but for what its parent did not bury yet.
gone_in() {
    local left
    local -a status_files=("${pids[@]/#//proc/}")
    status_files=("${status_files[@]/%//status}")
    for ((left = $1 * 10; left > 0; left--)); do
        grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "${status_files[@]}" 2>/dev/null || return 0
        sleep 0.1
    done
    fail "ranks are left after $1 s: ${pids[*]}"
}

# a killed rank ends the job within 5 s, and mpirun says which it was
start
kill -9 "${pids[1]}"
gone_in 5
status=0
wait $job || status=$?
[ $status -eq 137 ] || fail "mpirun ends with $status after a rank was killed"
expect_text log 'process rank 1 with PID'
expect_text log 'exited on signal 9'

# ranks do not outlive their mpirun
start
kill -9 $job
gone_in 5
