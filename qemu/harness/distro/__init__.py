# SPDX-License-Identifier: GPL-2.0
"""A Debian as its packages leave it: its kernel, init and kdump services, on a disk."""
