# SPDX-License-Identifier: GPL-2.0
"""Sizes."""

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

# The smallest page that a kernel has, on each architecture.
PAGE = 4 * KIB
