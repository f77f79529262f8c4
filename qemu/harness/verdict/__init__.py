# SPDX-License-Identifier: GPL-2.0
"""Whether a kernel leaves a dump, and where it stopped if it does not."""
