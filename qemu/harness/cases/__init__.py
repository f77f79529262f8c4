# SPDX-License-Identifier: GPL-2.0
"""The files of docs/verification.md: good ones, and ones with a single thing wrong with them."""
