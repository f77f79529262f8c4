# SPDX-License-Identifier: GPL-2.0
"""Errors of a guest, of QEMU, and of a boot."""


class GuestError(Exception):
    """An event of the guest did not come."""


class QemuCrashed(GuestError):
    """QEMU itself crashed.

    Versions before 8.2 (seen with 7.2) crash now and then with TCG and a host thread for each CPU,
    when a CPU of the guest moves a PCI device's memory while another one accesses a device.
    """


class NotBooted(GuestError):
    """A kernel did not get as far as its first process, and so not to our module.

    This is seen, rarely, with QEMU 7.2 and TCG, in kernels with several CPUs (6.12.117): one hangs
    early in its boot, or executes code while another CPU patches it. Capture kernels do so too.
    """
