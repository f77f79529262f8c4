# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Which kernels, architectures and tools the project is built with. Nothing else names a version.

# The guest kernel's line and its architecture, in the kernel's own spelling.
KERNEL=${KERNEL:-6.12}
ARCH=${ARCH:-x86_64}
KERNELS="6.12"
ARCHS="x86_64"

# The kernel and its module are built with one LLVM, the one that LLVM=-19 selects in Kbuild.
LLVM_SUFFIX=-19

# Rust in the kernel needs 1.78 (6.12), the crates of userspace/ need more.
RUSTC_MIN=1.78.0
CARGO_MIN=1.88.0

# Before 0.69.5 bindgen misreads headers that libclang 19 has parsed.
BINDGEN_MIN=0.69.5
BINDGEN_VERSION=0.72.1

# Debian's packages. cargo, rustc and bindgen are looked for first, see toolchain.sh.
KERNEL_PACKAGES="linux-source-$KERNEL clang$LLVM_SUFFIX lld$LLVM_SUFFIX llvm$LLVM_SUFFIX
	libclang$LLVM_SUFFIX-dev flex bison bc libelf-dev libssl-dev dwarves xz-utils"
MODULE_PACKAGES="make gcc libc6-dev kmod"
GUEST_PACKAGES="busybox-static cpio zstd"
HARNESS_PACKAGES="python3-venv"
case $ARCH in
x86_64) HARNESS_PACKAGES="$HARNESS_PACKAGES qemu-system-x86" ;;
esac
