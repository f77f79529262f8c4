#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# The module has to be there before whatever saves the dump.

[ -e /proc/vmcore ] || modprobe -q rust_kexec || :
