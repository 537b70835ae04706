#!/usr/bin/env bash
# Whatever one file of the library offers to another is called strata_...; whatever the shared library exports is
# declared in a public header.
set -euo pipefail

wrong=0
mapfile -t objects < <(find "$BUILD" -path '*-objects.dir/*' -name '*.o')
[ ${#objects[@]} -gt 0 ]

# FILE NAME of every symbol without the prefix; nm -A prints "OBJECT:ADDRESS TYPE NAME", w and W are weak
while read -r file name; do
    # an object may outlive its source: only those that the sources still make count
    if [ -e "$SOURCE/$file" ] || [ -e "$BUILD/$file" ]; then
        printf '%s: extern without the prefix strata_: %s\n' "$file" "$name"
        wrong=1
    fi
done < <(nm -A -g --defined-only "${objects[@]}" |
    awk '$2 !~ /[wW]/ && $3 !~ /^(strata_|__(asan|odr_asan|ubsan))/ {
        sub(/.*-objects\.dir\//, "", $1); sub(/\.o:.*/, "", $1); print $1, $3 }')

library=$BUILD/libstrata.so
if [ -e "$library" ]; then
    for name in $(nm -D --defined-only "$library" | awk '$3 ~ /^strata_/ { print $3 }'); do
        if ! grep -rqw -- "$name" "$SOURCE/include/strata"; then
            printf '%s is exported but no public header declares it\n' "$name"
            wrong=1
        fi
    done
fi
exit $wrong
