#!/bin/sh
# Installer of the simulated Redis Enterprise @VERSION@ for @OS@ @ARCH@. It behaves like the real one where that is known:
# its output goes through tee, whose status is what the caller gets; it deletes parts of its own tree; it knows no root but
# finds its node by walking up from where it was started.
PATH=${PATH:-/usr/sbin:/usr/bin:/sbin:/bin}

root=$(pwd)
while [ ! -f "$root/sim-node.json" ]; do
    if [ "$root" = / ]; then
        echo "[x] Error: this host is not a node; run install.sh from below the node's directory"
        exit 1
    fi
    root=$(dirname "$root")
done
sim=$(sed -n 's/.*"binary": *"\([^"]*\)".*/\1/p' "$root/sim-node.json")

log() {
    printf '%s [%s] %s\n' "$(date '+%Y-%m-%d %H:%M:%S.%3N')" "$1" "$2"
}

helper() {
    stage=$1
    shift
    "$sim" installer "$stage" --root "$root" --pid $$ "$@"
}

# 0 goes on; 137 is the node's or the installer's violent end; anything else ends this run of the pipeline.
go_on() {
    case $1 in
    0) ;;
    137)
        kill -KILL $$
        exit 137
        ;;
    *) exit "$1" ;;
    esac
}

upgrade() {
    if [ ! -d rlec_upgrade_tmpdir ] || [ ! -d rlec_install_utils_tmpdir ]; then
        log x "Error: rlec_upgrade_tmpdir is missing. Extract the package again and run install.sh from inside it."
        exit 1
    fi
    helper begin --target @VERSION@ --os @OS@ --arch @ARCH@ --umask "$(umask)" -- "$@"
    go_on $?

    log . "Stopping services"
    helper stop
    go_on $?

    log '$' "executing: '@COMMAND@ @PACKAGE@'"
    version=$(helper files)
    go_on $?
    if ! cp "@PACKAGE@" "$root/opt/redislabs/lib/redislabs.package"; then
        log x "Error: installing the package failed. Upgrade aborted."
        exit 1
    fi
    printf '%s\n' "$version" >"$root/opt/redislabs/version"
    printf '%s\n' "$version" >"$root/etc/opt/redislabs/redislabs_custom_install_version"

    log . "Starting services"
    helper start
    go_on $?
    log ! "Installation is complete!"

    tests=verify_bootstrap_status,verify_processes,verify_pidfiles,verify_tcp_connectivity
    log '$' "executing: '/opt/redislabs/bin/rlcheck --suppress-tests=$tests --retry=10'"
    "$root/opt/redislabs/bin/rlcheck" --suppress-tests=$tests --retry=10

    rm -rf rlec_upgrade_tmpdir
    log . "Fixing file permissions."
    helper finish
    go_on $?
    log ! "Please logout and login again to make sure all environment changes are applied."
    log ! "Point your browser at the following URL to continue:"
    log ! "https://<your_ip_here>:8443"
    log . "Installation complete."
}

upgrade "$@" 2>&1 | tee "$root/tmp/install.log"
status=$?
mv "$root/tmp/install.log" "$root/var/opt/redislabs/log/install.log"
helper end || status=$?
exit $status
