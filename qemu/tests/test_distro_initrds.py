# SPDX-License-Identifier: GPL-2.0
"""Initrds of Debian's, for a capture kernel that has no /proc/vmcore but ours.

The packages have a hook for initramfs-tools and a module for dracut. Debian's own kernel does not
need them. The guests' other kernels do, and are installed here as a second one.
"""

import io
import tarfile
from pathlib import Path

import pytest

from harness import paths
from harness.distro.system import PATIENCE, System
from harness.dump.dump import Dump
from harness.guest.guest import Guest
from harness.guest.loading import CAPTURE
from harness.testing import needs_distro
from harness.units import MIB


def without_vmcore() -> str | None:
    """A kernel that was built for guests, with the module."""
    for target in ("x86_64", "x86_64-7"):
        module = paths.BUILD / "module" / target / "rust_kexec" / "rust_kexec.ko"
        if (paths.BUILD / "guest" / target / "vmlinuz").exists() and module.exists():
            return target
    return None


pytestmark = [
    needs_distro,
    pytest.mark.skipif(without_vmcore() is None, reason="needs a guests' kernel: make guest"),
]

# The disk beside that of the system.
DISK = "/dev/vdb"

# What a service would do: save the dump, and reboot. Nothing else in the initrd loads the module.
SAVE = f"dd if=/proc/vmcore of={DISK} bs=1M && sync; echo b > /proc/sysrq-trigger"

INITRAMFS_TOOLS = f"""
cat > /etc/initramfs-tools/scripts/init-premount/save <<'SCRIPT'
#!/bin/sh
[ "$1" = prereqs ] && exit 0
{SAVE}
SCRIPT
chmod +x /etc/initramfs-tools/scripts/init-premount/save
mkinitramfs -o /tmp/initrd $RELEASE
lsinitramfs /tmp/initrd | grep rust_kexec.ko
"""

# As kdump's own tools for dracut call it.
DRACUT = f"""
directory=/usr/lib/dracut/modules.d/98save
mkdir $directory
cat > $directory/module-setup.sh <<'SCRIPT'
check() {{ return 0; }}
install() {{ inst_multiple dd sync; inst_hook pre-mount 50 "$moddir/save.sh"; }}
SCRIPT
echo '{SAVE}' > $directory/save.sh
IN_KDUMP=1 dracut --hostonly --no-hostonly-default-device --omit systemd --kver $RELEASE /tmp/initrd
lsinitrd /tmp/initrd | grep rust_kexec.ko
"""


async def install(guest: Guest, target: str) -> str:
    """Installs the kernel of a target and its module, and returns the kernel's release."""
    tree = paths.BUILD / "kernel" / target
    release = (tree / "include" / "config" / "kernel.release").read_text().strip()
    modules = f"usr/lib/modules/{release}"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for file, name in (
            (paths.BUILD / "guest" / target / "vmlinuz", f"boot/vmlinuz-{release}"),
            (tree / ".config", f"boot/config-{release}"),
            *((tree / name, f"{modules}/{name}") for name in ("modules.builtin", "modules.order")),
            (
                paths.BUILD / "module" / target / "rust_kexec" / "rust_kexec.ko",
                f"{modules}/extra/rust_kexec.ko",
            ),
        ):
            tar.add(file.resolve(), name)
    with open(guest.machine.disk, "r+b") as disk:
        disk.write(archive.getvalue())
    blocks = -(-len(archive.getvalue()) // MIB)
    await guest.shell(
        f"dd if={DISK} bs=1M count={blocks} iflag=direct status=none | "
        f"tar -C / -x --no-same-owner; depmod {release}",
        timeout_s=PATIENCE,
    )
    return release


@pytest.mark.parametrize("script", [INITRAMFS_TOOLS, DRACUT], ids=["initramfs-tools", "dracut"])
async def test_distro_initrd_has_our_vmcore(script: str, tmp_path: Path) -> None:
    """The module gets into the initrd, and is loaded before what saves the dump."""
    target = without_vmcore()
    assert target is not None
    system = System(tmp_path, memory_mib=2048)
    async with system.boot() as guest:
        release = await install(guest, target)
        await guest.shell(f"RELEASE={release}\n{script}", timeout_s=PATIENCE)
        await guest.shell(
            f"kexec -p /boot/vmlinuz-{release} --initrd=/tmp/initrd "
            f"--append='{CAPTURE} root={DISK}'",
            timeout_s=PATIENCE,
        )
        await guest.crash()
        await guest.machine.reset(PATIENCE)
        vmcore = guest.machine.disk.rename(tmp_path / "vmcore")
    with Dump(vmcore) as dump:
        assert dump.panic_message == "sysrq triggered crash"
        functions = [frame.name for frame in dump.crashed_thread.stack_trace()]
        assert "sysrq_handle_crash" in functions, functions
    vmcore.unlink()
