# SPDX-License-Identifier: GPL-2.0
"""A saved vmcore: its readers, and the tools that people open it with."""
