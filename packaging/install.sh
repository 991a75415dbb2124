#!/bin/sh
# Installs `scalr-eventbridge` and the provider for this machine. The program goes into a folder, the provider into one in which
# `terraform init` and `tofu init` look without any configuration. Every file is compared with the release's checksums.
#
#   SCALR_EVENTBRIDGE_VERSION  the release
#   SCALR_EVENTBRIDGE_FROM     a folder or an address with the release's files, such as what `cargo xtask dist` has written
#   SCALR_EVENTBRIDGE_BIN      where the program goes: ~/.local/bin
#   SCALR_EVENTBRIDGE_PLUGINS  where the provider goes: ~/.terraform.d/plugins
#   SCALR_EVENTBRIDGE_KEY      a file with the publisher's public key, with which the checksums' signatures are verified
#
# Needs curl or wget for an address, tar with gzip, sha256sum or shasum, and gpg if a key is named.
set -eu

version=${SCALR_EVENTBRIDGE_VERSION:-0.1.0}
from=${SCALR_EVENTBRIDGE_FROM:-https://github.com/scalr-eventbridge/terraform-provider-scalr/releases/download/v$version}
bin=${SCALR_EVENTBRIDGE_BIN:-$HOME/.local/bin}
plugins=${SCALR_EVENTBRIDGE_PLUGINS:-$HOME/.terraform.d/plugins}
key=${SCALR_EVENTBRIDGE_KEY:-}

fail() {
    echo "error: $1" >&2
    exit 1
}

# fetch FILE: into the working directory.
fetch() {
    if [ -d "$from" ]; then
        cp "$from/$1" . || fail "\`$from\` has no \`$1\`"
    elif command -v curl > /dev/null; then
        curl --fail --silent --show-error --location --retry 3 --output "$1" "$from/$1" || fail "\`$from/$1\` cannot be fetched"
    elif command -v wget > /dev/null; then
        wget -q -O "$1" "$from/$1" || fail "\`$from/$1\` cannot be fetched"
    else
        fail "neither curl nor wget is here to fetch \`$from/$1\`"
    fi
}

# signed SUMS: verifies their signature, if a key is named.
signed() {
    [ -n "$key" ] || return 0
    fetch "$1.sig"
    gpg --homedir "$work/gpg" --batch --no-autostart --verify "$1.sig" "$1" 2> said || {
        cat said >&2
        fail "\`$1\` is not signed with the key in \`$key\`: nothing was installed"
    }
}

# verified FILE SUMS: fetches both, and compares.
verified() {
    fetch "$2"
    signed "$2"
    fetch "$1"
    grep "  $1\$" "$2" > wanted || fail "\`$2\` does not list \`$1\`"
    if command -v sha256sum > /dev/null; then
        sha256sum -c wanted > /dev/null || fail "the checksum of \`$1\` is not the one in \`$2\`"
    else
        shasum -a 256 -c wanted > /dev/null || fail "the checksum of \`$1\` is not the one in \`$2\`"
    fi
}

case $(uname -s) in
    Linux) os=linux ;;
    Darwin) os=darwin ;;
    *) fail "there is no release for $(uname -s); build it with cargo" ;;
esac
case $(uname -m) in
    x86_64 | amd64) processor=amd64 ;;
    aarch64 | arm64) processor=arm64 ;;
    *) fail "there is no release for $(uname -m); build it with cargo" ;;
esac
platform=${os}_$processor

# A relative path is relative to the folder in which the script was started.
case $from in
    /* | *://*) ;;
    *) from=$PWD/$from ;;
esac
case $key in
    '' | /*) ;;
    *) key=$PWD/$key ;;
esac
mkdir -p "$bin" "$plugins"
bin=$(cd "$bin" && pwd)
plugins=$(cd "$plugins" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
if [ -n "$key" ]; then
    command -v gpg > /dev/null || fail "gpg is not here to compare signatures with the key in \`$key\`"
    mkdir -m 700 gpg
    gpg --homedir "$work/gpg" --batch --no-autostart --quiet --import "$key" || fail "\`$key\` has no public key"
fi

archive=scalr-eventbridge_${version}_$platform
package=terraform-provider-scalr_${version}_$platform.zip
verified "$archive.tar.gz" "scalr-eventbridge_${version}_SHA256SUMS"
verified "$package" "terraform-provider-scalr_${version}_SHA256SUMS"
tar -xzf "$archive.tar.gz"
"$archive/bin/scalr-eventbridge" --version > /dev/null ||
    fail "the program does not run here: on Linux it needs glibc 2.34 or later (Debian 12, Ubuntu 22.04, RHEL 9; not Alpine)"

# Under another name first: a program that runs cannot be written to.
cp "$archive/bin/scalr-eventbridge" "$bin/.scalr-eventbridge.new"
mv -f "$bin/.scalr-eventbridge.new" "$bin/scalr-eventbridge"
for host in registry.terraform.io registry.opentofu.org; do
    mkdir -p "$plugins/$host/scalr-eventbridge/scalr"
    cp "$package" "$plugins/$host/scalr-eventbridge/scalr/$package"
done

echo "$bin/scalr-eventbridge and the provider $version in $plugins"
case :$PATH: in
    *:"$bin":*) ;;
    *) echo "The PATH does not have $bin yet." ;;
esac
