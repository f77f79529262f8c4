# SPDX-License-Identifier: GPL-2.0
"""Steps that change the files which a load reads."""

from harness import paths
from harness.crash.scenario import Facts
from harness.guest.guest import Guest
from harness.images.bzimage import with_fields

# Other contents for files in which the kernel tells about itself: other addresses, of the notes for
# registers too, and a text in place of the boot parameters and of the device tree.
FORGE = """
sed -E 's/[0-9a-f]+-[0-9a-f]+ : Kernel /01000000-010fffff : Kernel /' /proc/iomem > /tmp/iomem
mount --bind /tmp/iomem /proc/iomem
echo 9f000 > /tmp/crash_notes
for file in /sys/devices/system/cpu/cpu[0-9]*/crash_notes; do
    mount --bind /tmp/crash_notes $file
done
for file in /sys/kernel/boot_params/data /sys/firmware/fdt; do
    [ ! -e $file ] || mount --bind /proc/version $file
done
"""

# struct screen_info after its field ext_mem_k, which is about memory and which the kernel clears.
SCREEN = "xxd -p -s 4 -l 60 /sys/kernel/boot_params/data || :"


async def have_vmlinux_loaded(guest: Guest) -> None:
    """Puts the ELF file that is compressed into the kernel in the kernel's place."""
    await guest.send(paths.GUEST_KERNEL, paths.CAPTURE_VMLINUX.read_bytes())


async def hide_the_inner_kernel(guest: Guest) -> None:
    """Has the bzImage's own code decompress the kernel: its header does not say where that is."""
    file = with_fields(paths.CAPTURE_KERNEL.read_bytes(), payload_offset=0)
    await guest.send(paths.GUEST_KERNEL, file)


async def load_without_file_systems(guest: Guest) -> None:
    """Loads while nothing is mounted on /proc and /sys."""
    await guest.shell("umount -l /sys; umount -l /proc; [ ! -e /proc/iomem -a ! -e /sys/kernel ]")
    await guest.load()
    await guest.unload()
    await guest.shell("mount -t proc proc /proc; mount -t sysfs sysfs /sys")


async def forge_the_kernels_files(guest: Guest) -> None:
    """Mounts other files over those in which the kernel tells about itself."""
    await guest.shell(FORGE)


async def uncover_the_kernels_files(guest: Guest, facts: Facts) -> None:
    """Takes these files away again."""
    await guest.shell("umount $(awk '/iomem|crash_notes|boot_params|fdt/{print $2}' /proc/mounts)")
    facts.screen = await guest.shell(SCREEN)


async def same_screen(guest: Guest, facts: Facts) -> None:
    """The capture kernel was told of the same screen as the production kernel (x86_64)."""
    assert await guest.shell(SCREEN) == facts.screen
