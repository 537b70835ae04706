#!/usr/bin/env bash
# Every function of OpenCL C that a kernel calls is declared in cl/builtins.h. Skipped where clang's header of them is not.
set -euo pipefail
cd "$SOURCE"

header=
for file in /usr/share/pocl/include/opencl-c.h /usr/lib/llvm-*/lib/clang/*/include/opencl-c.h; do
    [ -e "$file" ] && header=$file && break
done
[ -n "$header" ] || exit 0

called=$(sed 's:/\*.*\*/::; s:^ \*.*::; s:^/\*.*::' cl/*.cl cl/*.h | grep -oE '\b[a-z][a-z0-9_]*\(' | tr -d '(' | grep -vx defined | sort -u)
known=$(grep -oE '\b[a-z][a-z0-9_]*\(' "$header" | tr -d '(' | sort -u)
declared=$(sed -E 's/^OF_MEMORY\(([0-9]+)\)$/vload\1 vstore\1/' cl/builtins.h | grep -oE '\b[a-z][a-z0-9_]*\b' | sort -u)

wrong=0
found=0
while read -r name; do
    found=$((found + 1))
    if ! grep -qx "$name" <<<"$declared"; then
        printf 'cl/builtins.h does not declare %s, which a kernel calls\n' "$name"
        wrong=1
    fi
done < <(comm -12 <(printf '%s\n' "$called") <(printf '%s\n' "$known"))

if [ "$found" -lt 20 ]; then
    echo "no calls found in cl/"
    wrong=1
fi
exit $wrong
