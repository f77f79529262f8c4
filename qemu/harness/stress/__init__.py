# SPDX-License-Identifier: GPL-2.0
"""Random crashes: each drawn from a seed of its own, run, judged by its dump, and counted."""
