# SPDX-License-Identifier: GPL-2.0
"""The crashes that end in a good dump: a file for each theme, and the list of all, `every.py`."""
