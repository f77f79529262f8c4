# SPDX-License-Identifier: GPL-2.0
"""Checks of a dump: those of every dump in `always.py`, the others by theme."""
