#!/usr/bin/env bash
# Every header compiles alone; the public ones with nothing but include/ in sight, as C11 and as C++.
set -euo pipefail
cd "$SOURCE"

strict=(-fsyntax-only -Wall -Wextra -Wshadow -Werror -Iinclude)
read -ra libraries < <(pkg-config --cflags jansson libzip hwloc hdf5 ompi-c OpenCL)
inside=(-Isrc -D_DEFAULT_SOURCE -D_XOPEN_SOURCE=700 -DCL_TARGET_OPENCL_VERSION=120 "${libraries[@]}")
wrong=0

alone() {
    local header=$1
    shift
    if ! printf '#include "%s"\n' "$header" | "$@" - ; then
        printf '%s does not compile alone: %s\n' "$header" "$*"
        wrong=1
    fi
}

while read -r header; do
    alone "${header#include/}" cc -std=c11 -pedantic "${strict[@]}" -xc
    alone "${header#include/}" clang -std=c++11 "${strict[@]}" -xc++
done < <(find include -name '*.h')
while read -r header; do
    alone "${header#src/}" cc -std=c11 "${strict[@]}" "${inside[@]}" -xc
done < <(find src -name '*.h')

exit $wrong
