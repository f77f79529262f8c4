# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Which kernels, architectures and tools the project is built with. Nothing else names a version.
#
# The variables are for the scripts that source this file.
# shellcheck disable=SC2034

# The guest kernel's line and its architecture, in the kernel's own spelling. 7 is the newest 7.x
# that Debian's mirror has, stock is Debian's own kernel of that version, own the one in $TREE, which
# somebody else has built.
KERNEL_DEFAULT=6.12
KERNEL=${KERNEL:-$KERNEL_DEFAULT}
# The oldest that the module builds for, in a tree of the user's own too.
KERNEL_MIN=6.12
ARCH=${ARCH:-x86_64}
KERNELS="6.12 7 stock${TREE:+ own}"
ARCHS="x86_64 arm64"
# The kernels that .ci/run needs, as scripts/kernels takes them.
CI_KERNELS="6.12:x86_64 7:x86_64 6.12:arm64 stock:x86_64"
# A variant is one more fragment of the guest kernel's configuration, qemu/kernel/VARIANT.config, or
# several: matrix+rt.
VARIANT=${VARIANT:-}
# The name of directories below build/.
TARGET=$ARCH
[ "$KERNEL" = "$KERNEL_DEFAULT" ] || TARGET=$ARCH-$KERNEL
TARGET=$TARGET${VARIANT:+-$VARIANT}

# Suites that may have newer kernels than the machine's own release.
KERNEL_SUITES="trixie-backports sid"

# Suites of Debian's own kernel of that version, and of the compilers that built it.
STOCK_SUITES="trixie trixie-backports"
STOCK_PACKAGES="rustc rust-src bindgen gcc-14 libc6-dev make flex bison bc libelf-dev libssl-dev
	libdw-dev pahole kmod xz-utils python3-minimal perl gawk bash coreutils diffutils findutils
	grep sed tar gzip"

# The kernel and its module are built with one LLVM, the one that LLVM=-19 selects in Kbuild.
LLVM_SUFFIX=-19

# Rust in the kernel needs 1.78 (6.12), the crates of userspace/ need more.
RUSTC_MIN=1.78.0
CARGO_MIN=1.88.0

# Before 0.69.5 bindgen misreads headers that libclang 19 has parsed.
BINDGEN_MIN=0.69.5
BINDGEN_VERSION=0.72.1

# Debian's packages. cargo, rustc and bindgen are looked for first, see toolchain.sh.
KERNEL_PACKAGES="clang$LLVM_SUFFIX lld$LLVM_SUFFIX llvm$LLVM_SUFFIX
	libclang$LLVM_SUFFIX-dev flex bison bc libelf-dev libssl-dev dwarves xz-utils"
MODULE_PACKAGES="make gcc libc6-dev kmod"
GUEST_PACKAGES="cpio zstd"
HARNESS_PACKAGES="python3-venv openssl sbsigntool"
# Tools that open dumps, besides drgn. Debian 12's (makedumpfile 1.7.2, crash 8.0.2) do not know Linux
# 6.12. A crash reads only dumps of the architecture that it was built for.
TOOLS_SUITE=sid
# dtc: kexec_core's tests compare device trees with its own, and the harness changes guests' trees.
TEST_PACKAGES="device-tree-compiler"
# Linters of scripts/check, for the scripts and the manual page.
CHECK_PACKAGES="shellcheck mandoc"
# For `make deb` only, and for `make distro`.
PACKAGING_PACKAGES="debhelper dh-dkms dpkg-dev lintian"
DISTRO_PACKAGES="mmdebstrap e2fsprogs"
# Packages that can be installed for one architecture at a time only. Another architecture's are
# unpacked into the cache (scripts/foreign).
FOREIGN_PACKAGES=
case $ARCH in
x86_64)
	RUST_TARGET=x86_64-unknown-linux-gnu
	DEBIAN_ARCH=amd64
	TOOLS="makedumpfile crash vmcore-dmesg kexec gdb"
	TOOLS_PACKAGES="makedumpfile crash kexec-tools gdb"
	GUEST_PACKAGES="$GUEST_PACKAGES busybox-static"
	# lz4 and lzop compress kernels in the ways that the kernel's build can.
	HARNESS_PACKAGES="$HARNESS_PACKAGES qemu-system-x86 ovmf lz4 lzop"
	;;
arm64)
	RUST_TARGET=aarch64-unknown-linux-gnu
	DEBIAN_ARCH=arm64
	TOOLS="makedumpfile crash vmcore-dmesg kexec"
	TOOLS_PACKAGES="makedumpfile crash kexec-tools"
	MODULE_PACKAGES="$MODULE_PACKAGES gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
	HARNESS_PACKAGES="$HARNESS_PACKAGES qemu-system-arm qemu-efi-aarch64 ipxe-qemu
		qemu-user-static"
	FOREIGN_PACKAGES="busybox-static"
	;;
esac
case $KERNEL in
# Only the default line has a package of that name.
"$KERNEL_DEFAULT") KERNEL_PACKAGES="$KERNEL_PACKAGES linux-source-$KERNEL" ;;
# Nothing is compiled for it outside the root of its compilers; the purgatory is linked here.
stock) KERNEL_PACKAGES="lld$LLVM_SUFFIX llvm$LLVM_SUFFIX xz-utils" ;;
esac
