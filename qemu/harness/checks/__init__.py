# SPDX-License-Identifier: GPL-2.0
"""What must be true of a dump."""
