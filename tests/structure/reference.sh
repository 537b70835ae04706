#!/usr/bin/env bash
# docs/reference.md is what the command prints. After a change to a table: build/strata help --markdown > docs/reference.md
set -euo pipefail
cd "$SOURCE"

"$STRATA" help --markdown | diff -u docs/reference.md - || {
    echo "docs/reference.md is old: build/strata help --markdown > docs/reference.md"
    exit 1
}
