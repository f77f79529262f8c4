# SPDX-License-Identifier: GPL-2.0
"""The rows, a file for each theme; `harness.matrix.rows` lists all."""
