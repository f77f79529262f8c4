# SPDX-License-Identifier: GPL-2.0
"""One QEMU process: its hardware, its firmware and its sockets."""
