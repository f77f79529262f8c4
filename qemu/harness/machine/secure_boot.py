# SPDX-License-Identifier: GPL-2.0
"""UEFI with Secure Boot switched on, for x86_64: OVMF, with Debian's test keys enrolled.

OVMF starts a kernel that comes by QEMU's `-kernel` without a look at its signature, by its legacy
loader: QEMU changes the kernel's header, so that no signature would hold. The kernel finds Secure
Boot enabled, and does what it does on any such machine.
"""

import shutil
from pathlib import Path

CODE = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd"
VARIABLES = "/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd"

# Newer versions of OVMF have to be asked for that loader. That of Debian 12 (2022.11) ignores the
# name.
LOADER = "name=opt/org.tianocore/EnableLegacyLoader,string=yes"

# Options of QEMU's `-machine`. The firmware protects its variables by system management mode.
OPTIONS = ("smm=on",)


def arguments(variables: Path) -> list[str]:
    """QEMU's arguments for the firmware, whose variables are written to the file `variables`."""
    shutil.copyfile(VARIABLES, variables)
    flash = "if=pflash,format=raw"
    return [
        *("-fw_cfg", LOADER),
        *("-global", "driver=cfi.pflash01,property=secure,value=on"),
        *("-drive", f"{flash},unit=0,readonly=on,file={CODE}"),
        *("-drive", f"{flash},unit=1,file={variables}"),
    ]
