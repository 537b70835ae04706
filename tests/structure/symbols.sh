#!/usr/bin/env bash
# Whatever one file of the library offers to another is called strata_...; whatever the shared library exports is
# declared in a public header.
set -euo pipefail

wrong=0
objects=$(find "$BUILD" -path '*-objects.dir/*' -name '*.o')
[ -n "$objects" ]
# an object may outlive its source: only those that the sources still make count
for object in $objects; do
    file=${object##*-objects.dir/}
    file=${file%.o}
    [ -e "$SOURCE/$file" ] || [ -e "$BUILD/$file" ] || continue
    names=$(nm -g --defined-only "$object" | awk '$2 != "w" && $2 != "W" && $3 !~ /^(strata_|__(asan|odr_asan|ubsan))/ { print $3 }')
    if [ -n "$names" ]; then
        printf '%s: extern without the prefix strata_: %s\n' "$file" "${names//$'\n'/ }"
        wrong=1
    fi
done

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
