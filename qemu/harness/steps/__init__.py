# SPDX-License-Identifier: GPL-2.0
"""What a scenario does before the load, before the crash, and in the capture kernel."""
