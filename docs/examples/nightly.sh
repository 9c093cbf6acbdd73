#!/bin/sh
# Upgrades one cluster in the night. From cron:
#   0 1 * * 6  ratchet  RATCHET_COORDINATOR=coordinator:7444 nightly.sh orders 7.22.0-95 3h
# The same call again goes on with the same run: a night that was too short needs no other command. Output is mailed by
# cron, so nothing is said where there is nothing to say.
set -eu

cluster=$1
version=$2
span=${3:-3h}

begun=0
answer=$(ratchet -o json upgrade "$cluster" --to "$version" --yes --detach) || begun=$?
case $begun in
0) ;;
3)
    echo "$cluster: something stands in the way, nothing was changed; see: ratchet check $cluster --to $version"
    exit 3
    ;;
6)
    echo "$cluster: the coordinator or an agent cannot be reached; the next night tries again"
    exit 6
    ;;
*)
    echo "$cluster: the upgrade was not begun:"
    printf '%s\n' "$answer" | jq -r '.error.message? // empty'
    exit "$begun"
    ;;
esac

# Without a run there was nothing to do.
run=$(printf '%s\n' "$answer" | jq -r 'select(.schema == "ratchet.run/1") | .id')
if [ -z "$run" ]; then
    exit 0
fi

ended=0
answer=$(ratchet -o json wait "$run" --timeout "$span") || ended=$?
case $ended in
0) echo "$cluster: upgraded to $version" ;;
4)
    echo "$cluster: run $run has halted or was aborted:"
    ratchet why "$run" || true
    ;;
5) echo "$cluster: run $run is not done yet; it is under way, or paused: ratchet why $run" ;;
6) echo "$cluster: the coordinator cannot be reached; run $run goes on without it knowing: ratchet watch $run" ;;
*)
    echo "$cluster: how run $run stands cannot be told:"
    printf '%s\n' "$answer" | jq -r '.error.message? // empty'
    ;;
esac
exit "$ended"
