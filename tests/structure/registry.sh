#!/usr/bin/env bash
# Every layer class is in the registry, and has a golden file or a unit test that names it.
set -euo pipefail
cd "$SOURCE"

registry=src/layers/registry.c
[ -e "$registry" ] || exit 0
wrong=0
found=0
while read -r file; do
    while IFS=: read -r object name; do
        found=$((found + 1))
        if ! grep -q "&$object\b" "$registry"; then
            printf '%s: %s is not in the table of %s\n' "$file" "$object" "$registry"
            wrong=1
        fi
        if ! grep -qsE "\"$name\"" -r tests/layers tests/model &&
            ! grep -qlaE "\"class_name\": \"$name\"" tests/golden/layers/*.h5; then
            printf '%s: no golden file and no unit test names %s\n' "$file" "$name"
            wrong=1
        fi
    done < <(awk '/^const struct layer_class strata_layer_[a-z0-9_]+ = \{/ { object = $4 }
                  object && match($0, /\.name = "[A-Za-z0-9]+"/) {
                      print object ":" substr($0, RSTART + 9, RLENGTH - 10); object = "" }' "$file")
done < <(find src/layers -name '*.c' | sort)

if [ "$found" -eq 0 ]; then
    echo "no layer class found in src/layers"
    wrong=1
fi
exit $wrong
