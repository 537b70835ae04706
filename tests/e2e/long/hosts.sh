#!/usr/bin/env bash
# A job over two hosts: two network namespaces with a cable between them and names of their own, into which mpirun comes by
# its agent. Needs to be root.
set -euo pipefail
# shellcheck source=tests/e2e/lib/expect.sh
source "$SOURCE/tests/e2e/lib/expect.sh"

command -v ip >/dev/null || apt-get install -y --no-install-recommends iproute2 >apt.log 2>&1 || { cat apt.log; fail 'ip cannot be installed'; }

# ---- two hosts ----
alpha=strata-a-$$ beta=strata-b-$$ cable=sta$$ other=stb$$
take_down() {
    for host in "$alpha" "$beta"; do # a daemon of mpirun waits for ever for the other end of the cable
        for process in $(ip netns pids "$host" 2>/dev/null); do kill -KILL "$process" 2>/dev/null || true; done
    done
    ip netns delete "$alpha" 2>/dev/null || true # the cable goes with it
    ip netns delete "$beta" 2>/dev/null || true
}
trap take_down EXIT
ip netns add "$alpha"
ip netns add "$beta"
ip link add "$cable" type veth peer name "$other"
ip link set "$cable" netns "$alpha"
ip link set "$other" netns "$beta"
for end in "$alpha $cable 10.77.0.1" "$beta $other 10.77.0.2"; do
    read -r host link address <<<"$end"
    ip -n "$host" link set lo up
    ip -n "$host" link set "$link" up
    ip -n "$host" address add "$address/24" dev "$link"
done

# agent HOST COMMAND...: as ssh. A host whose cable is out does not answer; one that answers refuses this port.
cat >agent <<AGENT
#!/usr/bin/env bash
case \$1 in
    10.77.0.1) host=$alpha name=alpha ;;
    10.77.0.2) host=$beta name=beta ;;
esac
said=\$(ip netns exec $alpha timeout 3 bash -c ": </dev/tcp/\$1/9" 2>&1)
[[ \$said = *refused* ]] || exit 255
shift
exec ip netns exec \$host unshare --uts bash -c "hostname \$name; \$*"
AGENT
chmod +x agent
export OMPI_MCA_plm_rsh_agent=$PWD/agent OMPI_MCA_btl=tcp,vader,self STRATA
export OMPI_MCA_oob_tcp_if_include=10.77.0.0/24 OMPI_MCA_btl_tcp_if_include=10.77.0.0/24

printf '10.77.0.1 slots=1\n10.77.0.2 slots=1\n' >hosts1
printf '# two devices each\n10.77.0.1 slots=2\n10.77.0.2 devices=0,0\n' >hosts2

# run HOSTFILE DIR OPTION...: launch/run on alpha
run() {
    ./agent 10.77.0.1 "cd $PWD; exec timeout 300 $SOURCE/launch/run --hostfile $1 job.json --set run.dir=$2 ${*:3}"
}
largest() {
    sed -nE "s/.*\"$2\": *([-+0-9.eE]+).*/\\1/p" "$1" | sort -g | tail -n 1
}
# differs DIR OTHER MOST: by at most so much of the largest weight
differs() {
    "$STRATA" weights "$1/last.keras" --json >weights
    "$STRATA" weights "$1/last.keras" --diff "$2/last.keras" --json >differences || true
    expect_number "$(largest differences largest) <= $3 * $(largest weights max)"
}
same() {
    expect_code 0 "$STRATA" weights "$1/last.keras" --diff "$2/last.keras"
    expect_text out 'no bit differs'
}

# 104 steps, so that replicas are compared once on the way
cat >job.json <<'JSON'
{ "model": [ {"Input": {"shape": [28, 28, 1]}},
             {"Conv2D": {"filters": 8, "kernel_size": 3, "activation": "tanh"}}, {"Dropout": {"rate": 0.25}},
             {"AveragePooling2D": {}}, {"Flatten": {}}, {"Dense": {"units": 10}} ],
  "data":    {"train": {"source": "fashion-mnist:train", "limit": 501}},
  "compile": {"optimizer": {"SGD": {"learning_rate": 0.01}},
              "loss": {"SparseCategoricalCrossentropy": {"from_logits": true}}, "metrics": ["accuracy"]},
  "fit":     {"batch_size": 20, "epochs": 4, "seed": 3},
  "run":     {"dir": "run", "watchdog": {"report": 3, "stop": 8}, "checkpoint": {"every_steps": 20}} }
JSON

# ---- where ranks are changes nothing ----
expect_code 0 "$STRATA" fit job.json --set run.dir=one
expect_code 0 mpirun -n 2 "$STRATA" fit job.json --set run.dir=near
expect_code 0 run hosts1 far
expect_text err 'rank 0 on alpha'
expect_text err 'rank 1 on beta'
same near far

# ---- several ranks a host: sums within a host come first, which changes roundings, and nothing in an exact run ----
expect_code 0 run hosts2 four
expect_text err 'rank 3 on beta'
differs one four 1e-5
expect_code 0 run hosts2 again
same four again
expect_code 0 "$STRATA" fit job.json --set run.dir=exact --set run.exact=true
expect_code 0 run hosts2 exact4 --set run.exact=true
same exact exact4

# ---- gradients in 16 bits ----
expect_code 0 run hosts2 bf16 --set run.compression=bf16
differs one bf16 2e-2
expect_code 1 "$STRATA" weights four/last.keras --diff bf16/last.keras
expect_code 0 run hosts2 fp16 --set run.compression=fp16
differs one fp16 2e-3
# the loss times a million makes gradients that fp16 cannot hold
expect_code 0 run hosts2 large --set run.compression=fp16 --set fit.epochs=1 \
    --set compile.optimizer.SGD.loss_scale_factor=1e7 --set compile.optimizer.SGD.learning_rate=1e-3
expect_text err 'were too large for fp16'
expect_code 78 "$STRATA" fit job.json --set run.compression=fp16 --set run.exact=true
expect_text err 'leave one out'

# ---- a host vanishes: the job says so and ends, and goes on with the ranks that are left ----
STRATA_SLOW=0:5ms run hosts2 gone --set run.balance=equal >log 2>&1 &
running=$!
for _ in {1..600}; do
    ! compgen -G 'gone/checkpoints/step-*.keras' >/dev/null || break
    sleep 0.1
done
ip -n "$beta" link set "$other" down
began=$SECONDS
wait "$running" || { cat log >&2; fail 'the job did not go on'; }
echo "ended $((SECONDS - began)) s after the cable was out"
expect_text log 'on beta'
expect_text log 'has been silent for'
expect_text log '10.77.0.2 does not answer and is left out'
expect_text log '2 ranks on'
differs one gone 1e-4

# ---- no host is left ----
expect_code 1 ./agent 10.77.0.1 "cd $PWD; sed -i 1,2d hosts2; exec $SOURCE/launch/run --hostfile hosts2 job.json"
expect_text err 'no host answers'
printf '10.77.0.1 slots=two\n' >hosts2
expect_code 1 "$SOURCE/launch/run" --hostfile hosts2 job.json
expect_text err 'is no number of slots'
