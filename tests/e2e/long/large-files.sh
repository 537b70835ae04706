#!/usr/bin/env bash
# Files beyond 4 GiB, where zip needs what zip64 added to it: an entry that is larger, one that lies behind it, and another reader that
# agrees. It takes 18 GiB of memory and 14 of the disk.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

cat >model.json <<'MODEL'
{"class_name": "Sequential", "config": {"name": "large", "layers": [
    {"class_name": "InputLayer", "config": {"batch_shape": [null, 4], "name": "words"}},
    {"class_name": "Embedding", "config": {"name": "table", "input_dim": 1100000, "output_dim": 1024}},
    {"class_name": "Dense", "config": {"name": "behind", "units": 3}}]}}
MODEL

# check ARCHIVE: by its checksums
check() {
    [ "$(stat -c %s "$1")" -gt $((1 << 32)) ] || fail "$1 is too small to show anything"
    expect_code 0 python3 -c 'import sys, zipfile; sys.exit(zipfile.ZipFile(sys.argv[1]).testzip())' "$1"
}

# checksum ARCHIVE: that of its weights
checksum() {
    python3 -c 'import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).getinfo("model.weights.h5").CRC)' "$1"
}

expect_code 0 "$STRATA" convert model.json model.keras
check model.keras
expect_code 0 "$STRATA" convert model.keras weights.npz
check weights.npz
expect_code 0 "$STRATA" convert weights.npz again.keras --model model.json
check again.keras
[ "$(checksum model.keras)" = "$(checksum again.keras)" ] || fail 'the weights are others after they went through an .npz'
