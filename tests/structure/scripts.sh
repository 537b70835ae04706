#!/usr/bin/env bash
# The shell scripts are clean for shellcheck and can be started.
set -euo pipefail
cd "$SOURCE"

mapfile -t scripts < <(find launch tests .ci -type f -not -path 'tests/golden/*' -exec grep -lE '^(#!.*sh$|# shellcheck shell)' {} +)
shellcheck -x -S warning "${scripts[@]}"
for script in launch/setup launch/build launch/quickstart launch/check .ci/run; do
    [ -x "$script" ] || { echo "$script cannot be started"; exit 1; }
done
