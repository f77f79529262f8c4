# SPDX-License-Identifier: GPL-2.0
"""Kernel images assembled on the host: headers by the formats' texts, contents that never run."""
