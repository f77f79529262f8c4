# SPDX-License-Identifier: GPL-2.0
"""A running guest: its agent, what a test asks of it, and what its kernel says."""
