#!/bin/sh
# One job of a pipeline: check, plan, upgrade, report. Leaves plan.json and report.md as artefacts, and ends with the
# exit code of the upgrade. In a pipeline:
#   upgrade:
#     script: docs/examples/ci-upgrade.sh "$CLUSTER" "$VERSION"
#     artifacts: {when: always, paths: [plan.json, report.md]}
#     retry: {max: 2, exit_codes: 6}
set -eu

cluster=$1
version=$2

checked=0
answer=$(ratchet -o json check "$cluster" --to "$version") || checked=$?
if [ "$checked" -ne 0 ]; then
    echo "the checks end with $checked:"
    printf '%s\n' "$answer" |
        jq -r '.error.message? // (.findings[]? | select(.verdict == "block" or .verdict == "cannot_tell")
            | select(.accepted == null) | "\(.check): \(.saw)")'
    exit "$checked"
fi

# A plan of an earlier job is none of this one's.
rm -f plan.json
planned=0
ratchet plan "$cluster" --to "$version" --save plan.json || planned=$?
if [ "$planned" -ne 0 ]; then
    echo "there is no plan that can be carried out"
    exit "$planned"
fi
if [ ! -s plan.json ]; then
    echo "there is nothing to do"
    exit 0
fi

# What is carried out is the plan that was looked at: if the cluster is another one by now, it is refused (exit 3).
begun=0
answer=$(ratchet -o json upgrade --plan plan.json --yes --detach) || begun=$?
if [ "$begun" -ne 0 ]; then
    printf '%s\n' "$answer" | jq -r '.error | "\(.message): \(.cause // "")", "remedy: \(.remedy // "none")"'
    exit "$begun"
fi
run=$(printf '%s\n' "$answer" | jq -r '.id // empty')
if [ -z "$run" ]; then
    echo "there is nothing to do"
    exit 0
fi
echo "run $run"

ended=0
ratchet wait "$run" --timeout "${TIMEOUT:-5h}" || ended=$?
ratchet report "$run" --format md >report.md || echo "there is no report"
case $ended in
0) echo "done" ;;
4) echo "halted or aborted: ratchet why $run" ;;
5) echo "not done yet; it goes on without this job: ratchet wait $run" ;;
*) echo "ratchet wait ended with $ended" ;;
esac
exit "$ended"
