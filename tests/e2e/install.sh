#!/usr/bin/env bash
# An installed Strata serves a program of somebody else's, through find_package and through pkg-config.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

prefix=$PWD/prefix
cmake --install "$BUILD" --prefix "$prefix" >install.log
mapfile -t packages < <(find "$prefix" -name strata.pc)
[ ${#packages[@]} -eq 1 ] || fail "strata.pc is not installed once"
libraries=$(dirname "$(dirname "${packages[0]}")")

# runs_right PROGRAM: it learns, and leaves a model that the installed command reads.
runs_right() {
    expect_code 0 "$1"
    expect_number "$(awk '$1 == "accuracy" { print $2 }' out) > 0.9"
    expect_code 0 "$prefix/bin/strata" summary circle.keras
    expect_text out 'Trainable params: 129'
    rm circle.keras
}

cmake -S "$SOURCE/examples/embed" -B by-cmake -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >cmake.log
cmake --build by-cmake >>cmake.log
runs_right by-cmake/embed

export PKG_CONFIG_PATH=$libraries/pkgconfig
read -ra flags < <(pkg-config --cflags --libs strata)
cc -std=c11 -Wall -Wextra -Werror "$SOURCE/examples/embed/main.c" "${flags[@]}" -o by-pkg-config
LD_LIBRARY_PATH=$libraries runs_right ./by-pkg-config
