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

# run_folder STRATA JOB.json [OPTION OF strata fit...]: where the job keeps its run, nothing if nowhere.
run_folder() {
    local strata=$1 settings=()
    local -r job=$2
    shift 2
    while [ $# -gt 0 ]; do
        case "$1" in
            --set)   settings+=(--set "${2-}"); shift ;;
            --set=*) settings+=("$1") ;;
        esac
        shift
    done
    "$strata" check "$job" "${settings[@]}" --json | sed -n 's/.*"dir": *"\([^"]*\)".*/\1/p' | tail -n 1
}

# newest_checkpoint FOLDER: the name of a run folder's newest checkpoint, or nothing.
newest_checkpoint() { find "$1/checkpoints" -name 'step-*.keras' -printf '%f\n' 2>/dev/null | sort -V | tail -n 1; }
