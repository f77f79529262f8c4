# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Finds the Rust tools that are there. Sourced after lib.sh, which sets the variables.
# shellcheck disable=SC2154

# version_of COMMAND...: the first dotted number that COMMAND --version prints.
version_of() { "$@" --version 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1; }

# rustc_fits RUSTC: new enough for the kernel and with the library's source, which Kbuild compiles.
rustc_fits() {
	local sysroot
	first_at_least "$RUSTC_MIN" "$1" >/dev/null || return
	sysroot=$("$1" --print sysroot) &&
		[ -f "$sysroot/lib/rustlib/src/rust/library/core/src/lib.rs" ]
}

# kernel_rustc: the rustc that builds the guest kernel; fails when there is none.
kernel_rustc() {
	local candidate
	for candidate in "${KERNEL_RUSTC:-}" "$(command -v rustc)" /usr/bin/rustc; do
		if [ -n "$candidate" ] && rustc_fits "$candidate"; then
			printf '%s\n' "$candidate"
			return
		fi
	done
	return 1
}

# same_rustc VERSION: the rustc that says to be this version, or any if it is empty; fails when there is
# none.
same_rustc() {
	local candidate
	for candidate in "${KERNEL_RUSTC:-}" "$(command -v rustc)" /usr/bin/rustc \
		"$HOME"/.rustup/toolchains/*/bin/rustc; do
		[ -x "$candidate" ] || continue
		if [ -z "$1" ] || [ "$("$candidate" --version)" = "$1" ]; then
			printf '%s\n' "$candidate"
			return
		fi
	done
	return 1
}

# same_llvm CONFIG: what LLVM= was when the tree with this configuration was built; empty for GCC.
same_llvm() {
	local major
	[ -n "${LLVM:-}" ] && printf '%s\n' "$LLVM" && return
	grep -qx CONFIG_CC_IS_CLANG=y "$1" || return 0
	major=$(($(sed -n 's/^CONFIG_CLANG_VERSION=//p' "$1") / 10000))
	if command -v "clang-$major" >/dev/null; then
		printf -- '-%s\n' "$major"
	else
		echo 1
	fi
}

# foreign_rustc: Debian's rustc, whose libraries for other architectures are packages.
foreign_rustc() { rustc_fits /usr/bin/rustc && printf '%s\n' /usr/bin/rustc; }

# use_rust_target FLAGS: sets the environment in which cargo builds for $RUST_TARGET with FLAGS.
use_rust_target() {
	local flags=$* name
	name=CARGO_TARGET_$(printf %s "$RUST_TARGET" | tr a-z- A-Z_)
	if [ -n "$FOREIGN_PACKAGES" ]; then
		RUSTC=$(foreign_rustc)
		export RUSTC
		export "${name}_LINKER=${RUST_TARGET/-unknown/}-gcc"
		flags="$flags --sysroot=$cache/foreign-$ARCH/usr"
	fi
	export "${name}_RUSTFLAGS=$flags"
}

# first_at_least MINIMUM COMMAND...: the first of these that is there in such a version; fails when
# there is none.
first_at_least() {
	local minimum=$1 candidate found
	shift
	for candidate; do
		[ -n "$candidate" ] || continue
		if found=$(version_of "$candidate") && at_least "$found" "$minimum"; then
			printf '%s\n' "$candidate"
			return
		fi
	done
	return 1
}

# cargo_command: the cargo that builds userspace/ and purgatory/.
cargo_command() {
	first_at_least "$CARGO_MIN" "${CARGO:-}" "$(command -v cargo)" /usr/bin/cargo
}

# bindgen_command: the bindgen that Kbuild runs.
bindgen_command() {
	first_at_least "$BINDGEN_MIN" "${BINDGEN:-}" "$(command -v bindgen)" /usr/bin/bindgen \
		"$cache/bindgen-$BINDGEN_VERSION/bin/bindgen"
}

# finds_libclang BINDGEN: whether it can read a header. It takes TARGET for the machine's.
finds_libclang() {
	local header status=0
	header=$(mktemp --suffix=.h)
	env -u TARGET "$1" "$header" >/dev/null 2>&1 || status=$?
	rm "$header"
	return "$status"
}

# kbuild_tools RUSTC LLVM BINDGEN: the arguments that pin Kbuild's tools, one a line.
kbuild_tools() {
	printf '%s\n' "RUSTC=$1" "HOSTRUSTC=$1" "BINDGEN=$3"
	[ -z "$2" ] || printf '%s\n' "LLVM=$2"
}
