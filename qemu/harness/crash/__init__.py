# SPDX-License-Identifier: GPL-2.0
"""A scenario as data, and the run that ends in its dump."""
