#!/usr/bin/env bash
# A rank that stands still is named, and the job ends when it does not come back; a rank that comes back goes on. A job that
# was stopped as a whole goes on too. On a busy machine any rank may be named for a while: what counts is who ends the job, and
# that who is not to blame goes on.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}}, {"Flatten": {}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 20000}},
  "compile": {"optimizer": "sgd", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 4, "epochs": 100000, "seed": 3},
  "run":     {"dir": null, "watchdog": {"report": 3, "stop": 9}} }
JSON

# start RANKS OPTION...: in the background; the process numbers of mpirun and of the ranks, in the order of the ranks
start() {
    : >err # what the one before said is not this one's
    mpirun -n "$1" "$STRATA" fit job.json --progress line "${@:2}" >out 2>err &
    mpirun=$!
    for _ in $(seq 1800); do
        ! grep -q 'Epoch 1/' err || break
        sleep 0.1
    done
    grep -q 'Epoch 1/' err || fail "no epoch within 180 s: $(cat err)"
    mapfile -t ranks < <(pgrep -P "$mpirun" | sort -n)
    [ "${#ranks[@]}" -eq "$1" ] || fail "${#ranks[@]} ranks"
}

# await SECONDS TEXT: until the text is in err
await() {
    for _ in $(seq "$((10 * $1))"); do
        ! grep -q "$2" err || return 0
        sleep 0.1
    done
    cat err >&2
    fail "not within $1 s: $2"
}

trap 'kill -KILL "${ranks[@]}" "$mpirun" 2>/dev/null || true' EXIT

# ---- a rank that comes back, a whole job that does ----
start 3
kill -STOP "${ranks[1]}"
await 20 'rank 1 on .* has been silent for [0-9]* s; it was last seen training, step'
kill -CONT "${ranks[1]}"
await 20 'rank 1 on .* is back'
kill -STOP "${ranks[@]}"
sleep 11
kill -CONT "${ranks[@]}"
sleep 3
! grep -qE 'has been silent for (9|1[0-9]) s' err || fail "a job that was stopped as a whole: $(cat err)"
kill -0 "${ranks[@]}" || fail 'a rank ended'
kill -KILL "${ranks[2]}"
wait "$mpirun" || true

# ---- one that does not ----
for still in 0 1; do
    start 2
    kill -STOP "${ranks[$still]}"
    await 20 "rank $still on .* has been silent for [0-9]* s"
    begin=$SECONDS
    code=0
    wait "$mpirun" || code=$?
    [ "$code" -eq 76 ] || { cat err >&2; fail "exit code $code instead of 76"; }
    [ $((SECONDS - begin)) -le 30 ] || fail "the job took $((SECONDS - begin)) s to end"
    expect_text err "ends the job: rank $still on"
    for _ in $(seq 50); do
        kill -0 "${ranks[@]}" 2>/dev/null || continue 2
        sleep 0.1
    done
    fail 'a rank outlived the job'
done

# ---- a device that never answers: its own rank says so, and where it is ----
code=0
STRATA_FAULT=opencl:2500:stall@1 mpirun -n 2 "$STRATA" fit job.json --progress none \
    --set 'run.watchdog={"report": 3, "stop": 6}' >out 2>err || code=$?
[ "$code" -eq 76 ] || { cat err >&2; fail "exit code $code instead of 76"; }
grep -qE 'rank 1 on .* \(.*\) has stood still for [0-9]+ s: training, step [0-9]+.*; the job ends when that lasts [0-9]+ s' err \
    || { cat err >&2; fail 'rank 1 is not named'; }
expect_text err 'ends the job: rank 1 on'
! grep -q 'rank 0 on .* has stood still' err || grep -q 'rank 0 on .* goes on' err || { cat err >&2; fail 'rank 0 is named too'; }
expect_code 76 env STRATA_FAULT=opencl:1500:stall "$STRATA" fit job.json --progress none \
    --set 'run.watchdog={"report": 2, "stop": 4}'
expect_text err 'ends the job: rank 0 on'

# ---- ranks that all live and wait for each other: each says where ----
for n in 2 3; do
    expect_code 76 timeout 60 mpirun -n $n "$BUILD/tests/test-fit-ranks" apart
    for place in "rank 0 on .*: training, step 4" "rank $((n - 1)) on .*: telling its progress, step 3"; do
        grep -E '^strata: .* has waited [0-9]+ s for the others, and so have all ranks: .*; the job ends when that lasts 3 s' err \
            | grep -q "$place" || { cat err >&2; fail "not said: $place"; }
    done
    expect_text err ' ends the job: rank '
done

# ---- a file that is never written: the step that is saved next waits for it ----
stuck=(fit job.json --progress none --set 'run={"dir": "stuck", "checkpoint": {"every_steps": 20}, "watchdog": {"report": 2, "stop": 5}}')
for launch in '' 'mpirun -n 2'; do
    rm -rf stuck
    # shellcheck disable=SC2086
    STRATA_FAULT=file:200:stall@0 expect_code 76 timeout 100 $launch "$STRATA" "${stuck[@]}"
    expect_text err 'ends the job: rank 0 on'
    grep -qE 'rank 0 on .* has stood still for [0-9]+ s: saving a checkpoint' err || { cat err >&2; fail 'not seen as it saves'; }
done

# ---- what the job may say ----
expect_code 78 "$STRATA" check job.json --set 'run.watchdog={"report": 20, "stop": 10}'
expect_text err 'watchdog.stop is 10; it must be at least report, which is 20'
