#!/usr/bin/env bash
# A checkpoint every ten steps of the job of the README costs at most 3 % of its throughput: the median of what runs by turns with and
# without say, two that follow each other at a time, for the machine may have another speed a minute later. TURNS: how many.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

# speed CHECKPOINT: samples a second of the second epoch, in $now
speed() {
    rm -rf run
    expect_code 0 "$STRATA" fit "$SOURCE/launch/jobs/fashion-mnist.json" --json --progress none --set run.dir=run --set fit.epochs=2 \
        --set data.validation=null --set 'data.train={"source": "fashion-mnist:train", "limit": 25600}' --set "run.checkpoint=$1"
    now=$(grep '"epoch":2' out >second && number second samples_per_second)
}

with() {
    speed '{"every_steps": 10, "every_epochs": 1000}'
    with=$now
}

without() {
    speed '{"every_steps": 1000000, "every_epochs": 1000}'
    without=$now
}

for ((turn = 0; turn < ${TURNS:-21}; turn++)); do
    if ((turn % 2)); then with && without; else without && with; fi
    awk "BEGIN { print $with / $without }"
done >ratios
median=$(sort -g ratios | awk '{ ratio[NR] = $1 } END { print ratio[int((NR + 1) / 2)] }')
echo "with a checkpoint every 10 steps $median of the throughput without: $(sort -g ratios | tr '\n' ' ')"
expect_number "$median >= 0.97"
