# SPDX-License-Identifier: GPL-2.0
"""What can go wrong with a guest."""


class GuestError(Exception):
    """A guest did not do what was waited for."""


class QemuCrashed(GuestError):
    """QEMU itself crashed.

    Before version 8.2 it sometimes does when a guest moves a PCI device's memory while another
    of its CPUs accesses a device, with TCG and a host thread for each CPU.
    """


class NotBooted(GuestError):
    """A kernel did not get as far as its first process, and so not to our module.

    Kernels with several CPUs, a capture kernel as well, rarely hang there in QEMU 7.2 with TCG, or
    trip over code that another CPU patches.
    """
