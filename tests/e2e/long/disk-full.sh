#!/usr/bin/env bash
# A disk that fills up, of 64 sizes from none to two and a half times what two checkpoints and the rest of the run take: a checkpoint that
# was there stays and can be read, nothing is left aside, and the job says so and ends, or goes on where it is told to. SIZES: how many.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

cat >job.json <<'END'
{ "model": [ {"Input": {"shape": [28, 28, 1]}}, {"AveragePooling2D": {}}, {"Flatten": {}}, {"Dense": {"units": 64, "activation": "relu"}},
             {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 400}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 8, "epochs": 2, "seed": 3},
  "run":     {"dir": "disk/run", "checkpoint": {"every_steps": 10, "keep": 2}} }
END

fit() { timeout 100 mpirun -n 2 "$STRATA" fit job.json --progress none "$@"; }

expect_code 0 fit --set run.dir=whole
bytes=$(du --apparent-size -sb whole | cut -f1)
if ! mkdir disk || ! mount -t tmpfs -o size=16k none disk 2>/dev/null; then
    echo 'no file system of a given size can be made here'
    exit 0
fi
trap 'umount disk' EXIT

sizes=${SIZES:-64} full=0 enough=0
for ((i = 1; i <= sizes; i++)); do
    kib=$((i * bytes * 5 / 2 / sizes / 1024 + 4))
    mount -o "remount,size=${kib}k" disk
    for policy in stop continue; do
        rm -rf disk/run
        code=0
        fit --set "run.checkpoint.on_failure=$policy" >out 2>err || code=$?
        if ! grep -q 'No space left on device' err; then
            [ $code -eq 0 ] || { cat err; fail "exit code $code with $kib KiB"; }
            expect_code 0 "$STRATA" weights whole/last.keras --diff disk/run/last.keras
            enough=$((enough + 1))
            continue
        fi
        full=$((full + 1))
        [ $code -eq 71 ] || { [ $policy = continue ] && [ $code -eq 0 ]; } || { cat err; fail "exit code $code with $kib KiB, $policy"; }
        [ -z "$(find disk -name '*.part-*')" ] || fail "files are left aside with $kib KiB"
        for file in disk/run/checkpoints/*.keras disk/run/best.keras disk/run/last.keras; do
            [ ! -e "$file" ] || expect_code 0 "$STRATA" weights "$file"
        done
    done
done
[ $full -gt 0 ] && [ $enough -gt 0 ] || fail "$full runs on disks that were too small, $enough on others"
echo "$sizes sizes of disk: $full runs found it too small, $enough did not"
