#!/bin/sh
# Upgrades every healthy cluster that is not at the version yet, one after the other, and stops at the first that does
# not end well. What has waves, windows and budgets is a rollout: `ratchet rollout`.
set -eu

version=$1

seen=0
inventory=$(ratchet -o json inventory) || seen=$?
if [ "$seen" -ne 0 ]; then
    echo "the inventory cannot be had (exit $seen)" >&2
    exit "$seen"
fi

# Healthy means known to be: a cluster that was not seen yet, or has a run under way, is left alone.
clusters=$(printf '%s\n' "$inventory" | jq -r --arg to "$version" \
    '.clusters[] | select(.healthy == true and .run == null and .version != $to) | .name')

for cluster in $clusters; do
    begun=0
    answer=$(ratchet -o json upgrade "$cluster" --to "$version" --yes --detach) || begun=$?
    if [ "$begun" -ne 0 ]; then
        echo "$cluster: not begun (exit $begun): $(printf '%s\n' "$answer" | jq -r '.error.message? // .summary? // ""')" >&2
        exit "$begun"
    fi
    run=$(printf '%s\n' "$answer" | jq -r 'select(.schema == "ratchet.run/1") | .id')
    if [ -z "$run" ]; then
        echo "$cluster: nothing to do"
        continue
    fi
    ended=0
    ratchet wait "$run" >/dev/null || ended=$?
    if [ "$ended" -ne 0 ]; then
        echo "$cluster: run $run ended with $ended; no other cluster is begun: ratchet why $run" >&2
        exit "$ended"
    fi
    echo "$cluster: done"
done
