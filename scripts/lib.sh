# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Functions and paths for all scripts here.

# depmod and modprobe are in directories that only root's PATH has.
PATH=$PATH:/usr/sbin:/sbin

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=scripts/versions.sh
. "$top/scripts/versions.sh"

# Results live in the checkout; what is slow to make and shared between checkouts, in the cache.
# shellcheck disable=SC2034 # for the scripts that source this file
build=$top/build
# Without symbolic links: in-root has to find each by the name that a kernel's tree calls it.
cache=$(realpath --canonicalize-missing "${RUST_KEXEC_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rust_kexec}")

# The test guests' own modules, each a directory of qemu/guest.
# shellcheck disable=SC2034 # for the scripts that source this file
GUEST_MODULES="crasher hold_memory irqs_off livepatched on_entry panic_at_once"
# The drivers of their devices, which a distribution's kernel has as modules.
# shellcheck disable=SC2034 # for the scripts that source this file
GUEST_DRIVERS="virtio_pci virtio_console virtio_blk"

say() { printf '%s\n' "$*" >&2; }

die() {
	say "${0##*/}: $*"
	exit 1
}

# known WORD LIST WHAT: refuses a kernel or an architecture that the project does not have.
known() {
	case " $2 " in
	*" $1 "*) ;;
	*) die "$3 $1 is not supported; supported: $2." ;;
	esac
}
known "$KERNEL" "$KERNELS" "kernel"
known "$ARCH" "$ARCHS" "architecture"
for variant in ${VARIANT//+/ }; do
	[ -f "$top/qemu/kernel/$variant.config" ] ||
		die "variant $variant is not supported: there is no qemu/kernel/$variant.config."
done

# at_least FOUND MINIMUM: compares dotted versions.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# elapsed SECONDS: minutes and seconds, as 3:07.
elapsed() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# locked NAME: holds the cache's lock of that name until this script ends, so that two builds do
# not write into one tree.
locked() {
	mkdir -p "$cache"
	exec 9>"$cache/$1.lock"
	flock -n 9 && return
	say "waiting for another build that holds $cache/$1.lock"
	flock 9
}

# plain_make ARGUMENTS: a make that inherits nothing from the make that runs this script. Nor is it told of
# TARGET: bindgen would take that for a triple, and reads "kexec" in x86_64-7-no-kexec as a version.
plain_make() { env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u MAKEOVERRIDES -u TARGET make "$@"; }
