#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# boot-test.sh LINUX: builds the kernel in the source tree LINUX, and says whether it leaves a dump
# when it crashes. For a container of Debian 13, as root. RUST_KEXEC_URL is where git finds rust_kexec.
set -eu

linux=$(realpath "$1")
rust_kexec=${RUST_KEXEC:-/opt/rust_kexec}

export DEBIAN_FRONTEND=noninteractive
apt-get update
apt-get install --yes --no-install-recommends ca-certificates git make
[ -e "$rust_kexec" ] || git clone --depth 1 "$RUST_KEXEC_URL" "$rust_kexec"

# The compilers and tools that a kernel with Rust needs.
make -C "$rust_kexec" setup
export LLVM=-19
# Where Debian's bindgen is too old, there is one in the cache.
for bindgen in "${RUST_KEXEC_CACHE:-$HOME/.cache/rust_kexec}"/bindgen-*/bin; do
	PATH=$PATH:$bindgen
done
export PATH

make -C "$linux" defconfig rust.config kvm_guest.config
cd "$linux"
scripts/config --enable DEBUG_INFO_DWARF5 --disable DEBUG_INFO_NONE --enable FUNCTION_TRACER
make olddefconfig
make -j"$(nproc)"

exec "$rust_kexec/scripts/boot-test" "$linux"
