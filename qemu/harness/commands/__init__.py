# SPDX-License-Identifier: GPL-2.0
"""The programs of `make demo` and `make verification`."""
