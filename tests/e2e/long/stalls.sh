#!/usr/bin/env bash
# Ranks that are stopped at random moments. From five seconds of that they come back and the run ends with the bits of one to which
# nothing happened; one that stays stopped is named, the job ends and goes on from its checkpoint, to the same bits. STALLS: how many.
# And devices of which a call hangs, whichever of a step it is: their own rank says so. HANGS: how many.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

RANDOM=${SEED:-9}
stalls=${STALLS:-50} hangs=${HANGS:-24}

cat >job.json <<'END'
{ "model": [ {"Input": {"shape": [28, 28, 1]}},
             {"Conv2D": {"filters": 4, "kernel_size": 3, "activation": "relu"}}, {"MaxPooling2D": {}},
             {"BatchNormalization": {}}, {"Flatten": {}}, {"Dropout": {"rate": 0.25}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 3000}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}, "metrics": ["accuracy"]},
  "fit":     {"batch_size": 8, "epochs": 12, "seed": 3},
  "run":     {"dir": "whole", "checkpoint": {"every_steps": 200}, "watchdog": {"report": 3, "stop": 12}} }
END

fit() { exec timeout 300 mpirun -n "$1" "$STRATA" fit job.json --progress line --set "run.dir=$2" "${@:3}"; }

# start RANKS: in the background, until it trains; its process in $job, mpirun's, and those of the ranks in their order
start() {
    rm -rf broken
    : >log # what the one before said is not this one's
    fit "$1" broken >log 2>&1 &
    job=$!
    for _ in {1..600}; do
        ! grep -q 'Epoch 1/' log || break
        sleep 0.1
    done
    mapfile -t ranks < <(pgrep -P "$(pgrep -P $job)" | sort -n)
    [ "${#ranks[@]}" -eq "$1" ] || { cat log; fail "${#ranks[@]} ranks"; }
}
trap 'kill -KILL "${ranks[@]}" 2>/dev/null || true' EXIT

same_as_whole() {
    expect_code 0 "$STRATA" weights "whole$1/last.keras" --diff broken/last.keras
    expect_text out 'no bit differs'
}

# pause SECONDS: a part of them
pause() { sleep "$(awk "BEGIN { print $1 * $RANDOM / 32768 }")"; }

for n in 2 3; do (expect_code 0 fit "$n" "whole$n"); done

back=0 named=0
while [ $((back + named)) -lt "$stalls" ]; do
    n=$((2 + RANDOM % 2)) still=$((RANDOM % n)) code=0
    start $n
    pause 1.5
    kill -STOP "${ranks[$still]}" || { cat log; fail 'the job is too short'; }
    if [ $(((back + named) % 5)) -lt 4 ]; then
        sleep 5
        kill -CONT "${ranks[$still]}"
        wait $job || code=$?
        [ $code -eq 0 ] || { cat log; fail "exit code $code after a rank came back"; }
        grep -qE "rank $still on .* is back|rank $still on .* goes on" log || { cat log; fail "rank $still is not said to be back"; }
        back=$((back + 1))
    else
        begin=$SECONDS
        wait $job || code=$?
        [ $code -eq 76 ] || { cat log; fail "exit code $code instead of 76"; }
        [ $((SECONDS - begin)) -le 60 ] || fail "the job took $((SECONDS - begin)) s to end"
        grep -q "rank $still on .* has been silent for" log || { cat log; fail "rank $still is not named"; }
        for _ in {1..50}; do
            kill -0 "${ranks[@]}" 2>/dev/null || break
            sleep 0.1
        done
        ! kill -0 "${ranks[@]}" 2>/dev/null || fail 'a rank outlived the job'
        (expect_code 0 fit "$n" broken --resume)
        named=$((named + 1))
    fi
    same_as_whole $n
done
echo "$back ranks came back, $named did not"

for ((k = 2500; k < 2500 + hangs; k++)); do
    code=0
    (STRATA_FAULT=opencl:$k:stall@1 fit 2 broken --set 'run={"dir": null, "watchdog": {"report": 2, "stop": 4}}') >out 2>err || code=$?
    [ $code -eq 76 ] || { cat err; fail "call $k: exit code $code instead of 76"; }
    grep -qE 'rank 1 on .* has stood still for [0-9]+ s: training, step [0-9]+' err || { cat err; fail "call $k: rank 1 is not named"; }
done
echo "$hangs calls that hang"
