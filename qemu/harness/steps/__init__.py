# SPDX-License-Identifier: GPL-2.0
"""Steps of a scenario: before the load, before the crash, and in the capture kernel."""
