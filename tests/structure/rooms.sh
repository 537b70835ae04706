#!/usr/bin/env bash
# A room of src/ includes only rooms above it and only the libraries that are its business, and calls nothing that
# belongs elsewhere. Prints every line that breaks a rule.
set -euo pipefail
cd "$SOURCE"

rooms=(base device ops layers model data files dist train cli)
directive='^[[:space:]]*#[[:space:]]*include[[:space:]]*'
wrong=0

# lines PATTERN FIND-ARGUMENT...: FILE:LINE:TEXT of every source line that matches.
lines() {
    local pattern=$1
    shift
    find "$@" -name '*.[ch]' -exec grep -nHE -- "$pattern" {} + || true
}

# rule TEXT LINES: no line may be left.
rule() {
    if [ -n "$2" ]; then
        printf '%s\n%s\n' "$1" "$2"
        wrong=1
    fi
}

# ---- which way the rooms depend on each other ----

above=
for room in "${rooms[@]}"; do
    allowed=$above$room
    [ "$room" = cli ] && allowed=cli
    above="$above$room|"
    [ -d "src/$room" ] || continue
    rule "src/$room may include headers of: $allowed" \
        "$(lines "$directive\"" "src/$room" | grep -vE "\"($allowed)/[a-z0-9_]+\\.h\"")"
    rule "src/$room takes a _priv.h of another room" \
        "$(lines "$directive\"[a-z0-9_]+/[a-z0-9_]+_priv\\.h\"" "src/$room" | grep -v "\"$room/")"
done
rule 'public headers include only <strata/...> and the C library' "$(lines "$directive\"" include)"

# ---- which room may call what ----

# only_in WHAT PATTERN ROOM...
only_in() {
    local what=$1 pattern=$2 room
    local -a elsewhere=()
    shift 2
    for room in "$@"; do elsewhere+=(-not -path "src/$room/*"); done
    rule "$what: only in $*" "$(lines "$pattern" src include "${elsewhere[@]}")"
}

only_in OpenCL "$directive<CL/" device ops
only_in CLBlast "$directive<clblast" ops
only_in MPI "$directive<mpi\\.h" dist
only_in HDF5 "$directive<hdf5" data files
only_in libzip "$directive<zip\\.h" data files
only_in libdeflate "$directive<libdeflate\\.h" data files
only_in zlib "$directive<zlib\\.h" data files
only_in libjpeg "$directive<jpeglib" data
only_in libpng "$directive<png" data
only_in hwloc "$directive<hwloc" device dist
only_in Random123 "$directive<Random123/" base
only_in 'printing to stdout, leaving the process' \
    '(^|[^a-zA-Z0-9_])(printf|puts|putchar|exit)[[:space:]]*\(' cli
only_in 'ending a rank at once' '(^|[^a-zA-Z0-9_])(_exit|_Exit|abort)[[:space:]]*\(' dist

rule 'the environment is read in src/base/env.c alone' \
    "$(lines '(^|[^a-zA-Z0-9_])(secure_)?getenv[[:space:]]*\(' src -not -path src/base/env.c)"
rule 'arguments of kernels are set in src/device/launch.c alone' \
    "$(lines 'clSetKernelArg[[:space:]]*\(' src -not -path src/device/launch.c)"

exit $wrong
