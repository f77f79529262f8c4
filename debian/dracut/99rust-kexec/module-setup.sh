#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The module serves the dump in a capture kernel that has no /proc/vmcore of its own.

check() {
	# shellcheck disable=SC2154 # dracut sets it
	modinfo -k "$kernel" rust_kexec >/dev/null 2>&1 || return 1
	[[ $hostonly && -z ${IN_KDUMP:-} ]] && return 255
	return 0
}

depends() {
	return 0
}

installkernel() {
	# Also where the running kernel, for which the initrd is not, has not loaded it.
	hostonly='' instmods rust_kexec
}

install() {
	# shellcheck disable=SC2154 # dracut sets it
	inst_hook pre-trigger 00 "$moddir/load-rust-kexec.sh"
}
