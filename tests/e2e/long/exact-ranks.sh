#!/usr/bin/env bash
# Exact runs on more ranks.
set -euo pipefail
RANKS='1 5 6 8' exec bash "$SOURCE/tests/e2e/exact.sh"
