# shellcheck shell=bash
# What the scripts of launch/ share; they source it.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit

say() { printf '\n== %s\n' "$*"; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# build_in FOLDER TARGET CMAKE_ARGUMENT...: configures FOLDER the first time, then brings TARGET up to date.
build_in() {
    local folder=$1 target=$2
    shift 2
    if [ ! -e "$folder/build.ninja" ]; then
        cmake -G Ninja -S "$root" -B "$folder" "$@"
    fi
    cmake --build "$folder" --target "$target"
}

# ranks N COMMAND...: N processes on this machine. Strata chooses each rank's device and cores, so mpirun binds nothing.
ranks() {
    local n=$1
    shift
    if [ "$(id -u)" -eq 0 ]; then
        export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    fi
    mpirun -n "$n" --bind-to none --oversubscribe "$@"
}

# python_environment FOLDER PACKAGE...: a virtual environment with these packages of PyPI, once.
python_environment() {
    local folder=$1
    shift
    [ ! -e "$folder/complete" ] || return 0
    say "Installing $* into $folder"
    python3 -m venv "$folder" || fail "python3 cannot make a virtual environment; install python3-venv"
    "$folder/bin/pip" install --quiet "$@"
    touch "$folder/complete"
}
