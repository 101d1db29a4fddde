#!/usr/bin/env bash
# guest-toolchain.sh FOLDER
#
# Makes, inside FOLDER, a Rust compiler for guests (wasm32-wasip2) out of Debian's
# packages. Nothing is installed on the system and its own Rust stays as it is.
# Then FOLDER/bin/rustc is the compiler to use: RUSTC=FOLDER/bin/rustc cargo build ...
# If FOLDER already holds a whole toolchain, nothing is downloaded or built.
#
# Needs apt (Debian 12, any mirror), cargo and a C compiler. `transputer build` runs
# this by itself where rustup may not or cannot add the target.
set -euo pipefail
export LC_ALL=C

target=wasm32-wasip2
# The suites that have a usable wasi-libc (Debian 12's own breaks file access), best first.
wasi_suites="trixie bookworm-backports forky"

note() { printf 'guest toolchain: %s\n' "$*"; }
fail() { printf 'guest toolchain: error: %s\n' "$*" >&2; exit 1; }

# step TEXT COMMAND...: runs the command, and says how long it took.
step() {
    local text=$1 began=$SECONDS
    shift
    note "$text ..."
    "$@"
    note "$text: $((SECONDS - began)) s"
}

[ $# -eq 1 ] || fail "usage: $0 FOLDER"
for tool in apt-get dpkg-deb cargo rustc cc flock; do
    command -v "$tool" >/dev/null || fail "this needs the command '$tool', which is not installed"
done
mkdir -p "$1"
folder=$(cd "$1" && pwd -P)
case $folder in *[[:space:]\"\'\$]*) fail "the folder's path may hold no blanks, quotes or dollar signs: $folder" ;; esac
if [ ! -e "$folder/.lock" ] && [ -n "$(ls -A "$folder")" ]; then
    fail "$folder is not empty, and this script did not make it"
fi
exec 9>>"$folder/.lock"
flock -n 9 || { note "waiting for another run to finish"; flock 9; }

# The linkers come from the ordinary toolchain: rustup ships them, rustc-web does not.
host=$(env -u RUSTC rustc -vV | sed -n 's/^host: //p')
linkers=$(env -u RUSTC rustc --print sysroot)/lib/rustlib/$host/bin
for linker in rust-lld wasm-component-ld; do
    [ -x "$linkers/$linker" ] || fail "the Rust toolchain in use has no $linker (looked in $linkers)"
done
sysroot=$folder/usr
link_linkers() { ln -sfn "$linkers" "$sysroot/lib/rustlib/$host/bin"; }

if [ -s "$folder/complete" ] && link_linkers && "$folder/bin/rustc" -V >/dev/null 2>&1; then
    note "in place: $(cat "$folder/complete")"
    exit 0
fi
work=$folder/work
rm -rf "$work" "$sysroot" "$folder/bin" "$folder/complete"
mkdir -p "$work" "$folder/bin"
trap 'rm -rf "$work"' EXIT

# An apt with lists and a cache of its own. It sees what is installed, so it fetches
# only what is missing; its hooks are off, so it touches nothing outside the folder.
# apt_area NAME: makes such an area; apt NAME ...: runs apt-get in it.
apt_area() {
    local area=$work/$1
    mkdir -p "$area/lists/partial" "$area/archives/partial" "$area/none"
    cat >"$area/apt.conf" <<CONF
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Dir::State::lists "$area/lists";
Dir::Cache "$area";
APT::Sandbox::User "root";
APT::Keep-Downloaded-Packages "true";
Acquire::Languages "none";
Acquire::Retries "3";
Debug::NoLocking "true";
CONF
}
apt() {
    local area=$work/$1
    shift
    apt-get -qq -c "$area/apt.conf" "$@" </dev/null
}
fetch() { apt "$1" install --yes --download-only --no-install-recommends --reinstall "${@:2}"; }

download_compiler() {
    apt_area compiler
    apt compiler update || fail "apt could not read its package lists (see above)"
    fetch compiler rustc-web libstd-rust-web-dev rust-web-src ||
        fail "Debian's packages rustc-web, libstd-rust-web-dev and rust-web-src cannot be had (see above); they are in Debian 12 (bookworm-security)"
}
download_wasi_libc() {
    local mirror suite
    mirror=$(apt-get -c "$work/compiler/apt.conf" indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 !~ /-/ { print $2; exit }')
    apt_area wasi
    printf 'Dir::Etc::sourcelist "%s";\nDir::Etc::sourceparts "%s";\n' \
        "$work/wasi/sources.list" "$work/wasi/none" >>"$work/wasi/apt.conf"
    for suite in $wasi_suites; do
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$work/wasi/sources.list"
        if apt wasi update 2>"$work/wasi/log" &&
            (cd "$work/wasi/archives" && apt wasi download wasi-libc) 2>>"$work/wasi/log"; then
            return
        fi
    done
    cat "$work/wasi/log" >&2
    fail "no wasi-libc in any of Debian's suites: $wasi_suites"
}

# Of rust-web-src only the standard library is wanted, a twentieth of it.
unpack() {
    mkdir -p "$work/root"
    printf '%s\0' "$work"/compiler/archives/*.deb "$work"/wasi/archives/*.deb |
        xargs -0 -n 1 -P "$(nproc)" bash -o pipefail -c 'dpkg-deb --fsys-tarfile "$1" |
            tar x -C "$0" --no-wildcards-match-slash --exclude "./usr/share" --exclude "./usr/src/rustc-*/src" --exclude "./usr/src/rustc-*/compiler"' "$work/root"
    # Debian keeps a few libraries in /lib, the rest in /usr/lib.
    [ ! -d "$work/root/lib" ] || cp -a "$work/root/lib/." "$work/root/usr/lib/"
    mv "$work/root/usr" "$sysroot"
    link_linkers
    # The compiler finds its own LLVM and driver only when told where they are.
    cat >"$folder/bin/rustc" <<WRAPPER
#!/bin/sh
LD_LIBRARY_PATH="$(dirname "$(find "$sysroot/lib" -name 'librustc_driver-*.so' | head -n 1)")\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
export LD_LIBRARY_PATH
exec "$sysroot/bin/rustc" "\$@"
WRAPPER
    chmod +x "$folder/bin/rustc"
    "$folder/bin/rustc" -V >/dev/null || fail "the unpacked compiler does not run (see above)"
}

# std for the target: built by cargo in a throw-away package, then put where rustc looks.
build_std() {
    local library=$sysroot/lib/rustlib/$target/lib jobs=${JOBS:-$(nproc)}
    mkdir -p "$work/std/src" "$library/self-contained"
    cat >"$work/std/Cargo.toml" <<MANIFEST
[package]
name = "std-for-guests"
edition = "2021"
[profile.release]
panic = "abort"
codegen-units = 1
[workspace]
MANIFEST
    echo '#![no_std]' >"$work/std/src/lib.rs"
    # RUSTC_BOOTSTRAP: building std is a nightly feature. Bitcode: guests use link-time optimisation.
    (cd "$work/std" && env -u RUSTC_WRAPPER -u RUSTC_WORKSPACE_WRAPPER -u CARGO_ENCODED_RUSTFLAGS -u CARGO_BUILD_TARGET \
        RUSTC="$folder/bin/rustc" RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Cembed-bitcode=yes" CARGO_TARGET_DIR="$work/std/target" \
        nice cargo build --quiet --release --jobs "$jobs" --target "$target" -Zbuild-std=std,panic_abort) ||
        fail "std does not build for $target (see above)"
    cp "$work/std/target/$target"/release/deps/lib*.rlib "$library/"
    rm -f "$library"/libstd_for_guests-*
    cp "$sysroot/lib/$target"/{crt1-command.o,crt1-reactor.o,libc.a} "$library/self-contained/" ||
        fail "Debian's wasi-libc has no files for $target"
    rm -rf "$sysroot/src"
}

try_it() {
    echo '#[unsafe(no_mangle)] pub extern "C" fn f(n: usize) -> String { format!("{:?}", vec![1u8; n]) }' >"$work/try.rs"
    "$folder/bin/rustc" --edition 2024 -O -C lto=fat --target "$target" --crate-type cdylib -A improper_ctypes_definitions "$work/try.rs" -o "$work/try.wasm" ||
        fail "the new compiler cannot build a component (see above)"
}

note "making a Rust compiler for $target in $folder (about 130 MB to download; some minutes, once)"
step "downloading the compiler, its library and its source" download_compiler
step "downloading wasi-libc" download_wasi_libc
step "unpacking" unpack
step "building the standard library for $target" build_std
step "trying it" try_it
rm -rf "$work"
"$folder/bin/rustc" -V >"$folder/complete"
note "made in $SECONDS s, $(du -sh "$folder" | cut -f1): $(cat "$folder/complete")"
