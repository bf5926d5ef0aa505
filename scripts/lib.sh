# shellcheck shell=bash
# Shared by ./demo, ./test, .ci/run and the other scripts. To be sourced, after `set -euo pipefail`.
# Works with bash 3.2 and without a terminal.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tools=$root/.tools # what the scripts install for this project alone; git ignores it
rust_version=1.95.0 # installed into .tools only where there is no cargo at all

# A line that cannot be overlooked, on standard error.
loud() { printf '\n!!! %s\n\n' "$*" >&2; }

die() {
    loud "$*"
    exit 1
}

# Runs a command without the variables that send HTTP clients elsewhere or change whom they trust.
# The tests and the demo talk to servers on loopback. Package managers keep the variables: on some
# machines they cannot fetch anything without them.
cleaned() {
    local name flags=()
    for name in \
        http_proxy https_proxy ftp_proxy all_proxy no_proxy \
        HTTP_PROXY HTTPS_PROXY FTP_PROXY ALL_PROXY NO_PROXY REQUEST_METHOD \
        SSL_CERT_FILE SSL_CERT_DIR NIX_SSL_CERT_FILE REQUESTS_CA_BUNDLE CURL_CA_BUNDLE AWS_CA_BUNDLE \
        CURL_HOME CURL_SSL_BACKEND NETRC SSLKEYLOGFILE OPENSSL_CONF OPENSSL_MODULES \
        LOCALDOMAIN RES_OPTIONS HOSTALIASES; do
        flags+=(-u "$name")
    done
    env "${flags[@]}" "$@"
}

# quietly CMD...: with the time that nothing else on the machine wants.
quietly() {
    if command -v chrt >/dev/null; then
        chrt --idle 0 "$@"
    else
        nice -n 19 "$@"
    fi
}

# as_root CMD...: as root, through sudo if it asks no password; fails where neither is possible.
as_root() {
    if [[ $(id -u) == 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo -n -E "$@"
    else
        return 1
    fi
}

# apt_install "PACKAGES": where apt and root (or sudo) are there. The caller sees whether it helped.
apt_install() {
    command -v apt-get >/dev/null || return 0
    printf 'installing %s\n' "$1" >&2
    if [[ -z ${apt_updated:-} ]]; then
        as_root apt-get update -qq </dev/null >&2 || true
        apt_updated=1
    fi
    # shellcheck disable=SC2086 # several packages in one word
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $1 </dev/null >&2 || true
    hash -r
}

# need PROGRAM "PACKAGES" CONSEQUENCE: has apt install the packages if the program is missing, and
# says what its absence means if that does not help.
need() {
    local program=$1 packages=$2 consequence=$3
    command -v "$program" >/dev/null && return 0
    apt_install "$packages"
    command -v "$program" >/dev/null && return 0
    loud "MISSING: $program (Debian packages: $packages). $consequence"
    return 1
}

# Finds cargo, or installs Rust into .tools: neither PATH nor the home directory is changed.
need_cargo() {
    command -v cargo >/dev/null && return 0
    if [[ -x ${CARGO_HOME:-${HOME:-/}/.cargo}/bin/cargo ]]; then
        PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
        return 0
    fi
    export RUSTUP_HOME=$tools/rustup CARGO_HOME=$tools/cargo PATH=$tools/cargo/bin:$PATH
    [[ -x $tools/cargo/bin/cargo ]] && return 0
    need curl "curl ca-certificates" "Rust cannot be installed without it." || true
    printf 'there is no cargo: installing Rust %s into .tools\n' "$rust_version" >&2
    mkdir -p "$tools"
    if ! curl --proto '=https' --tlsv1.2 -fsS --retry 3 -m 120 \
        -o "$tools/rustup-init.sh" https://static.rust-lang.org/rustup/rustup-init.sh ||
        ! sh "$tools/rustup-init.sh" -y --quiet --no-modify-path --profile minimal \
            --component clippy,rustfmt --default-toolchain "$rust_version" </dev/null >&2; then
        die "MISSING: cargo, and Rust could not be installed. Get Rust from https://rustup.rs and try again."
    fi
}

need_compiler() {
    need cc "gcc libc6-dev" "Nothing can be built without a C compiler and linker." ||
        die "Install a C compiler (as 'cc') and try again."
}

# cargo_tool NAME VERSION [OPTION...]: builds a pinned tool into .tools unless it is there already. For a short
# build, not for speed: such a tool runs for a second, or waits for cargo.
cargo_tool() {
    local name=$1 version=$2
    shift 2
    need_cargo
    if [[ -x $tools/bin/$name ]] && grep -qs "^\"$name $version " "$tools/.crates.toml"; then return 0; fi
    need_compiler
    CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=0 \
        CARGO_PROFILE_RELEASE_DEBUG=0 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        cargo install --locked --force --root "$tools" "$@" "$name@$version" >&2
}

host_triple() { rustc -vV | sed -n 's/^host: //p'; }

# Everything cargo has to download for this machine; what follows can then run --offline.
fetch_crates() {
    local triple
    triple=$(host_triple)
    cargo fetch --locked --manifest-path "$root/Cargo.toml" --target "$triple"
}

# What git tracks, also in a clone that belongs to another user, as in a container.
tracked_files() { git -c safe.directory='*' ls-files -z -- "$@"; }
tracked_grep() { git -c safe.directory='*' grep -nIE "$1" -- ':!.ci'; }

# part NAME CMD...: runs one part of a longer job, times it, and goes on whatever becomes of it.
# Exit code 77 means skipped; the command has said why.
part_lines=()
parts_failed=0
part() {
    local name=$1 started=$SECONDS code=0 outcome
    shift
    printf '\n== %s\n' "$name"
    "$@" || code=$?
    case $code in
        0) outcome=ok ;;
        77) outcome=SKIPPED ;;
        *)
            outcome="FAILED ($code)"
            parts_failed=$((parts_failed + 1))
            ;;
    esac
    part_lines+=("$(printf '%-34s %5d s  %s' "$name" $((SECONDS - started)) "$outcome")")
}

parts_table() {
    printf '\n'
    printf '%s\n' "${part_lines[@]}"
    printf '%-34s %5d s\n' total "$SECONDS"
}
