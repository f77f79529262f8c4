# SPDX-License-Identifier: GPL-2.0
"""Boots guests, crashes them, and reads what their capture kernels saved."""
