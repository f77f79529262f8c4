# SPDX-License-Identifier: GPL-2.0
"""The crash matrix: a row for every way in which a kernel can die, as data, and their results."""
