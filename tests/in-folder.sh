#!/usr/bin/env bash
# in-folder.sh FOLDER COMMAND...: runs the command in FOLDER, made empty first. A test that fails leaves its files there.
set -euo pipefail

folder=$1
shift
rm -rf -- "$folder"
mkdir -p -- "$folder"
cd -- "$folder"
export TMPDIR=$folder
status=0
"$@" || status=$?
if [ "$status" -eq 0 ]; then
    cd / && rm -rf -- "$folder"
fi
exit "$status"
