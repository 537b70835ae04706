#!/usr/bin/env bash
# Gradients that are no numbers, on random ranks in random steps: rank, step and layer are named, the run ends on all ranks, and no
# checkpoint holds anything that is not finite. TIMES: how many.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

RANDOM=${SEED:-13}

cat >job.json <<'END'
{ "model": [ {"Input": {"shape": [28, 28, 1]}}, {"AveragePooling2D": {"pool_size": 4}}, {"Flatten": {}},
             {"Dense": {"units": 8, "activation": "relu", "name": "low"}}, {"Dense": {"units": 10, "name": "high"}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 96}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 8, "epochs": 2, "seed": 3},
  "callbacks": ["TerminateOnNaN"],
  "run":     {"dir": "run", "checkpoint": {"every_steps": 1, "keep": 30}} }
END
ways=('run.exact=false' 'run.exact=true' 'compile.optimizer={"SGD": {"learning_rate": 0.1, "momentum": 0.9}}'
      'compile.optimizer={"Adam": {"global_clipnorm": 1.0}}' 'trainable=[["high", false]]')

for ((i = 0; i < ${TIMES:-200}; i++)); do
    n=$((2 + RANDOM % 2)) step=$((1 + RANDOM % 24)) way=${ways[i % ${#ways[@]}]}
    rank=$((RANDOM % n))
    rm -rf run
    expect_code 0 env STRATA_FAULT="grad:$step:nan@$rank" timeout 100 mpirun -n $n "$STRATA" fit job.json --json --set "$way"
    where="epoch $(((step + 11) / 12)), step $(((step - 1) % 12 + 1)): the gradient of low/"
    grep -q "$where.* is not finite on rank $rank" err || { cat err >&2; fail "$way, rank $rank of $n, step $step: not named"; }
    [ "$(grep -c 'is not finite on rank' err)" -eq 1 ] || { cat err >&2; fail 'it is told more than once'; }
    for file in run/checkpoints/*.keras; do
        [ -e "$file" ] || continue
        expect_code 0 "$STRATA" weights "$file" --json
        ! grep -q null out || { cat out >&2; fail "$way, rank $rank of $n, step $step: $file is not finite"; }
    done
done
echo "$i times"
