#!/usr/bin/env bash
# Calls that fail, or at which the process is killed: the run ends with a code and words, it leaves the checkpoints that were whole,
# and what goes on from them ends with the bits of a run to which nothing happened. SITES: which; SAMPLES: how many calls of each;
# FILE_SAMPLES: of files. Where it is 0, every action is tried at each call.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

sites=${SITES:-malloc file opencl mpi} samples=${SAMPLES:-2}

cat >job.json <<'END'
{ "model": [ {"Input": {"shape": [28, 28, 1]}}, {"AveragePooling2D": {"pool_size": 4}}, {"Flatten": {}},
             {"BatchNormalization": {}}, {"Dropout": {"rate": 0.2}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 48}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 8, "epochs": 2, "seed": 3},
  "run":     {"dir": "broken", "checkpoint": {"every_steps": 2}} }
END

# fit DIR OPTION...
fit() { timeout -s KILL 120 "${launch[@]}" "$STRATA" fit job.json --progress none --set "run.dir=$1" "${@:2}"; }

# same_as_whole RANKS: what goes on from the run folder
same_as_whole() {
    expect_code 0 fit broken --resume
    ! grep -q 'passed over' err || { cat err >&2; fail 'a checkpoint is damaged'; }
    expect_code 0 "$STRATA" weights "whole$1/last.keras" --diff broken/last.keras
    [ -z "$(find broken -name '*.part-*')" ] || fail "files are left aside: $(find broken -name '*.part-*')"
}

# fault SITE:K:ACTION RANKS: one run with it, and one that goes on
fault() {
    local code=0 begin=$SECONDS
    rm -rf broken
    STRATA_FAULT=$1 fit broken >out 2>err || code=$?
    case $code in
        0 | 64 | 65 | 69 | 71 | 76 | 78) ;;
        137) [[ $1 = *:kill ]] || { cat err >&2; fail "$1 is killed"; } ;;
        *) cat err >&2; fail "exit code $code after $1" ;;
    esac
    [ $code -eq 0 ] || grep -qE '^error: |signal 9|STRATA_FAULT.*kill' err || { cat err >&2; fail "no words after $1"; }
    ! grep -qE 'Sanitizer|runtime error' err || { cat err >&2; fail "$1"; }
    [ $((SECONDS - begin)) -le 60 ] || fail "$1 took $((SECONDS - begin)) s"
    same_as_whole "$2"
}

# count SITE: how many calls of it the job makes, in $calls
count() {
    rm -rf broken
    STRATA_FAULT=$1:0:count fit broken 2>err || { cat err >&2; fail "no run"; }
    calls=$(sed -nE 's/.*STRATA_FAULT: ([0-9]+) calls of .*/\1/p' err | sort -n | tail -n 1)
    [ "${calls:-0}" -gt 0 ] || { cat err >&2; fail "no calls of $1"; }
}

# faults SITE RANKS SAMPLES ACTION...: at calls that lie evenly, the actions by turns; where it is every call, all of them
faults() {
    local site=$1 ranks=$2 actions=("${@:4}") calls k i=0 action
    [[ " $sites " = *" $site "* ]] || return 0
    count "$site"
    local step=$(($3 ? (calls + $3 - 1) / $3 : 1))
    for ((k = 1 + step / 2; k <= calls; k += step)); do
        for action in "${actions[@]}"; do
            [ $step -eq 1 ] || action=${actions[i % ${#actions[@]}]}
            fault "$site:$k:$action" "$ranks"
            i=$((i + 1))
            [ $step -eq 1 ] || break
        done
    done
    echo "$i of $calls calls of $site, $ranks ranks"
}

for ranks in 1 2; do
    launch=()
    if [ $ranks -gt 1 ]; then
        launch=(mpirun -n "$ranks")
        export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # see dist.sh
    fi
    expect_code 0 fit "whole$ranks"
    if [ $ranks -eq 1 ]; then
        faults malloc 1 "$samples" fail
        faults file 1 "${FILE_SAMPLES:-4}" full kill fail denied
        faults opencl 1 "$samples" fail
    else
        faults mpi 2 "$samples" fail kill
    fi
done

expect_code 64 env STRATA_FAULT=disk:1:fail "$STRATA" fit job.json
expect_text err 'STRATA_FAULT is "disk:1:fail"; SITE:K:ACTION[@RANK],... is expected'
