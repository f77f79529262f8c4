# SPDX-License-Identifier: GPL-2.0
"""The parts of `make bench`: the module beside the kernel's own kexec."""
