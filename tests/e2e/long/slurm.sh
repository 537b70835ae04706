#!/usr/bin/env bash
# launch/strata.sbatch under Debian's Slurm, one node, from a folder of its own: cut off by its time limit, told to save,
# and with a rank killed, a job is queued again, goes on, and ends with the bits of one that nothing happened to.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

packages=(slurmctld slurmd slurm-client munge)
if ! dpkg -s "${packages[@]}" >/dev/null 2>&1; then
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}" >apt.log 2>&1 || { cat apt.log; fail 'Slurm cannot be installed'; }
fi

# ---- a cluster of one node ----
host=$(hostname -s)
mkdir state spool
head -c 1024 /dev/urandom >munge.key
chmod 400 munge.key
cat >slurm.conf <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$((20000 + $$ % 20000))
SlurmdPort=$((40000 + $$ % 20000))
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
AuthType=auth/munge
AuthInfo=socket=$PWD/munge.socket,cred_expire=5
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SwitchType=switch/none
ReturnToService=2
KillWait=5
PlugStackConfig=/dev/null
StateSaveLocation=$PWD/state
SlurmdSpoolDir=$PWD/spool
SlurmctldPidFile=$PWD/slurmctld.pid
SlurmdPidFile=$PWD/slurmd.pid
SlurmctldLogFile=$PWD/slurmctld.log
SlurmdLogFile=$PWD/slurmd.log
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$PWD/slurm.conf

# What was started is stopped again: jobs first, then the daemons, by the ids that they wrote.
stop_cluster() {
    timeout 20 scancel --quiet --user "$(id -un)" 2>/dev/null || true
    for _ in {1..50}; do
        [ -n "$(timeout 10 squeue --noheader 2>/dev/null)" ] || break
        sleep 0.2
    done
    for daemon in slurmd slurmctld munged; do
        [ -e $daemon.pid ] || continue
        pid=$(cat $daemon.pid)
        kill "$pid" 2>/dev/null || true
        timeout 20 tail -f --pid "$pid" /dev/null || true # they write their state as they end
    done
}
trap stop_cluster EXIT
munged --force --key-file "$PWD/munge.key" --socket "$PWD/munge.socket" --pid-file "$PWD/munged.pid" \
    --log-file "$PWD/munged.log" --seed-file "$PWD/munge.seed"
slurmctld -i -f "$SLURM_CONF"
slurmd -f "$SLURM_CONF"

# until SECONDS COMMAND...: waits for it to succeed.
until_so() {
    local seconds=$1
    shift
    for _ in $(seq "$((seconds * 5))"); do
        ! "$@" || return 0
        sleep 0.2
    done
    tail -n 30 strata-*.log slurmctld.log slurmd.log >&2 || true
    fail "not within $seconds s: $*"
}
node_is_idle() { [ "$(timeout 10 sinfo --noheader --format %t 2>/dev/null)" = idle ]; }
until_so 60 node_is_idle

# ---- a job, slow until the file "fast" is there ----
cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}}, {"Flatten": {}}, {"Dense": {"units": 20, "activation": "relu"}},
             {"Dropout": {"rate": 0.2}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 2000}},
  "compile": {"optimizer": "adam", "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}},
  "fit":     {"batch_size": 4, "epochs": 6, "seed": 3},
  "run":     {"dir": "whole", "balance": "equal", "checkpoint": {"every_steps": 100}} }
JSON
cat >slow-strata <<SCRIPT
#!/usr/bin/env bash
[ -e '$PWD/fast' ] || export STRATA_SLOW=0:20ms
exec '$STRATA' "\$@"
SCRIPT
chmod +x slow-strata
expect_code 0 mpirun -n 2 "$STRATA" fit job.json

state() { scontrol show job --oneliner "$job" | sed -nE "s/.* $1=([^ ]*).*/\\1/p"; }
has_checkpoint() { compgen -G "$folder/checkpoints/step-*.keras" >/dev/null; }
restarted() {
    ! is_over || { cat "strata-$folder.log" >&2; fail "the job is over: $(state JobState)"; }
    [ "$(state Restarts)" -ge "$1" ] && [ "$(state JobState)" = RUNNING ]
}
is_over() { [[ "$(state JobState)" =~ COMPLETED|FAILED|TIMEOUT|CANCELLED|NODE_FAIL ]]; }
further() { [ "$(find "$folder/checkpoints" -name 'step-*.keras' | sort -V | tail -n 1)" != "$1" ]; }

# submit FOLDER: until its first checkpoint
submit() {
    folder=$1
    rm -f fast
    job=$(STRATA=$PWD/slow-strata sbatch --parsable --ntasks 2 --time 60 --signal B:USR1@60 --output "strata-$folder.log" \
        "$SOURCE/launch/strata.sbatch" job.json --set "run.dir=$folder")
    until_so 120 has_checkpoint
}
# ends_as_whole: the job is let go, and ends with the bits of the whole run
ends_as_whole() {
    touch fast
    until_so 300 is_over
    [ "$(state JobState)" = COMPLETED ] || { cat "strata-$folder.log" >&2; fail "the job is $(state JobState)"; }
    expect_code 0 "$STRATA" weights whole/last.keras --diff "$folder/last.keras"
    expect_text out 'no bit differs'
}

# ---- its time is nearly over: Slurm tells it a minute before, and it is queued again ----
submit limited
expect_code 0 scontrol update "JobId=$job" TimeLimit=2
until_so 240 restarted 1
expect_text strata-limited.log 'goes back into the queue'
expect_code 0 scontrol update "JobId=$job" TimeLimit=60
ends_as_whole

# ---- told to save, as when it is preempted; twice ----
submit told
scancel --batch --signal TERM "$job"
until_so 120 restarted 1
newest=$(find told/checkpoints -name 'step-*.keras' | sort -V | tail -n 1)
until_so 120 further "$newest"
scancel --batch --signal USR1 "$job"
until_so 120 restarted 2
ends_as_whole

# ---- a rank is lost: the job goes on where it is ----
submit killed
for rank in $(pgrep -f -- "fit job.json --set run.dir=killed"); do
    [ "$(cat "/proc/$rank/comm")" != strata ] || break
done
kill -9 "$rank"
ends_as_whole
expect_text strata-killed.log 'again in 1 s, from step-'
[ "$(state Restarts)" -eq 0 ] || fail 'a lost rank put the job back into the queue'

# ---- nothing that another try would mend ----
job=$(STRATA=$STRATA sbatch --parsable --ntasks 2 --output strata-broken.log "$SOURCE/launch/strata.sbatch" job.json \
    --set data.train=missing.npz)
until_so 60 is_over
[ "$(state JobState) $(state ExitCode)" = 'FAILED 65:0' ] || fail "a job without data: $(state JobState) $(state ExitCode)"
