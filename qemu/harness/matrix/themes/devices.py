# SPDX-License-Identifier: GPL-2.0
"""Disks and network cards: their interrupts and requests, and their DMA while the kernel dies."""

from dataclasses import replace
from functools import partial

from harness import paths
from harness.crash.scenario import Facts
from harness.guest.guest import Guest
from harness.machine.hardware import Hardware
from harness.machine.platform import PLATFORM
from harness.matrix.row import Row, functions
from harness.matrix.themes.contexts import DISK
from harness.matrix.themes.detectors import HOG
from harness.matrix.trigger import (
    CRASHER,
    PANIC_ON_OOPS,
    Trigger,
    Where,
    armed,
    lkdtm_at,
    panics,
    run,
    sysrq,
    write,
)

# A SCSI disk without a file: all zeros.
SCSI = Hardware(
    memory_mib=768,
    arguments=(
        *("-device", "virtio-scsi-pci"),
        *("-blockdev", "driver=null-co,node-name=zeros,size=67108864,read-zeroes=on"),
        *("-device", "scsi-hd,drive=zeros"),
    ),
)
SCSI_READ = "dd if=/dev/sda of=/dev/null bs=64k count=64 iflag=direct"
SCSI_IS_THERE = "until [ -e /dev/sda ]; do sleep 0.1; done"

# What saves the dump writes over it.
EXT2 = "mke2fs -F /dev/vda >/dev/null; mkdir /tmp/disk; mount -t ext2 /dev/vda /tmp/disk"
EXT2_WRITE = "echo > /tmp/disk/file; sync; rm /tmp/disk/file; sync"

SWAP = "mkswap /dev/vda >/dev/null; swapon /dev/vda; echo 1 > /proc/sys/vm/overcommit_memory"

# 7.3 has this by another name, and what it calls in the place of the call.
SWAP_OUT = "swap_writeout" if "swap_writeout" in functions() else "__swap_writepage"

TASKLET = f"echo softirq nothing 0 > {CRASHER}"


def after(trigger: Trigger, *scripts: str) -> Trigger:
    """The trigger, with scripts that run before its own."""
    return replace(trigger, prepare=(*scripts, *trigger.prepare))


def at_function(function: str, load: str) -> Trigger:
    """Our own module's panic in a function that a load runs through."""
    return Trigger(
        name=f"panic in function {function}",
        cause=partial(write, path=CRASHER, data=f"function panic {function}"),
        says=panics("crasher: panic$"),
        functions=("crasher_panic", "probe_dies"),
        task=".*",
        where=Where.ANYWHERE,
        symbols=(function,),
        prepare=(
            f"insmod {paths.GUEST_CRASHER}",
            f"(while :; do {load}; done) </dev/null >/dev/null 2>&1 &",
        ),
    )


async def keep_the_disk_busy(guest: Guest, facts: Facts) -> None:
    """Processes read from the disk and write to it, past the cache."""
    for direction in (
        "if=/dev/vda of=/dev/null iflag=direct",
        "if=/boot/vmlinuz of=/dev/vda oflag=direct conv=notrunc",
    ):
        script = f"while :; do dd {direction} bs=1M count=2; done"
        await guest.shell(f"({script}) </dev/null >/dev/null 2>&1 &")


async def receive_frames(guest: Guest, facts: Facts) -> None:
    """The network card writes frames to memory, which do not end."""
    await guest.shell(
        "ip link set eth0 up; "
        "until [ $(cat /sys/class/net/eth0/statistics/rx_packets) -gt 200 ]; do sleep 0.1; done"
    )


async def devices_are_translated(guest: Guest, facts: Facts) -> None:
    """An IOMMU is between the devices and memory."""
    await guest.shell("[ $(ls /sys/kernel/iommu_groups | wc -l) -gt 0 ]")


def card(model: str) -> Hardware:
    """A machine with a network card that frames keep coming to."""
    return Hardware(memory_mib=768, network=model)


# virtio's devices go by the IOMMU only if they are told to, and only without their old interface.
TRANSLATED = (
    *("-global", "virtio-device.iommu_platform=on"),
    *("-global", "virtio-blk-pci.disable-legacy=on"),
    *("-global", "virtio-serial-pci.disable-legacy=on"),
)
IOMMU, IOMMU_OPTION = {
    "x86_64": (
        replace(card("e1000"), arguments=("-device", "intel-iommu,intremap=on", *TRANSLATED)),
        "INTEL_IOMMU",
    ),
    "arm64": (
        replace(card("e1000"), arguments=TRANSLATED, options=("iommu=smmuv3",)),
        "ARM_SMMU_V3",
    ),
}[paths.ARCH]

ROWS = (
    *(
        Row(
            f"scsi-{kind.lower()}",
            "request to a SCSI disk, in a kprobe",
            after(lkdtm_at("SCSI_QUEUE_RQ", "scsi_queue_rq", kind, SCSI_READ), SCSI_IS_THERE),
            hardware=SCSI,
            needs=("SCSI_VIRTIO", "BLK_DEV_SD"),
        )
        for kind in ("PANIC", "EXCEPTION")
    ),
    *(
        Row(
            f"tasklet-{kind.lower()}",
            "softirq, in a kprobe",
            after(
                lkdtm_at("INT_TASKLET_ENTRY", "tasklet_action", kind, TASKLET),
                f"insmod {paths.GUEST_CRASHER}",
            ),
        )
        for kind in ("PANIC", "EXCEPTION")
    ),
    # Points of LKDTM's at functions that these kernels do not have. submit_bh() is called by ext4
    # only: the compiler puts it into its callers in the same file.
    Row(
        "buffer",
        "buffer of a file system on its way to the disk, in a kprobe",
        lkdtm_at("FS_SUBMIT_BH", "submit_bh", "PANIC", DISK),
        needs=("EXT4_FS",),
    ),
    Row(
        "irq-entry",
        "entry of a hard interrupt, in a kprobe",
        lkdtm_at("INT_HARDWARE_ENTRY", "do_IRQ", "PANIC", DISK),
    ),
    Row(
        "timer-start",
        "start of a timer, in a kprobe",
        lkdtm_at("TIMERADD", "hrtimer_start", "PANIC", "usleep 1000"),
    ),
    Row(
        "inactive-pages",
        "reclaim of pages, in a kprobe",
        lkdtm_at("MEM_SWAPOUT", "shrink_inactive_list", "PANIC", HOG),
    ),
    # Ours, for these.
    Row(
        "buffer-sync",
        "buffer of a file system on its way to the disk, in a kprobe",
        after(at_function("sync_dirty_buffer", EXT2_WRITE), EXT2),
        needs=("EXT2_FS",),
    ),
    Row(
        "timer-start-range",
        "start of a timer, in a kprobe",
        at_function("hrtimer_start_range_ns", "usleep 1000"),
        # It dies with a runqueue's lock, which the other CPU may wait for.
        options=PLATFORM.nmi_option,
    ),
    Row("disk-irq", "hard interrupt of the disk, in a kprobe", at_function("virtblk_done", DISK)),
    Row(
        "swap-out",
        "reclaim that writes a page to swap, in a kprobe",
        replace(
            armed(
                "function",
                "panic",
                partial(run, script=HOG),
                argument=SWAP_OUT,
                task=".*",
                where=Where.ANYWHERE,
                symbols=(SWAP_OUT,),
            ),
            functions=("crasher_panic", "probe_dies"),
        ),
        setup=(SWAP,),
        needs=("SWAP",),
    ),
    Row(
        "frames-softirq",
        "softirq of a network card, in a kprobe",
        replace(
            at_function("e1000_clean", "sleep 1"),
            prepare=(f"insmod {paths.GUEST_CRASHER}", PANIC_ON_OOPS, "ip link set eth0 up"),
        ),
        hardware=card("e1000"),
        needs=("E1000",),
    ),
    Row("disk-dma", "task, a disk at work", sysrq(), before=(keep_the_disk_busy,)),
    Row(
        "virtio-net-dma",
        "task, a virtio network card at work",
        sysrq(),
        hardware=card("virtio-net-pci"),
        before=(receive_frames,),
        needs=("VIRTIO_NET",),
    ),
    Row(
        "e1000-dma",
        "task, an e1000 network card at work",
        sysrq(),
        hardware=card("e1000"),
        before=(receive_frames,),
        needs=("E1000",),
    ),
    Row(
        "iommu",
        "task, disk and network card at work behind an IOMMU",
        sysrq(),
        hardware=IOMMU,
        before=(devices_are_translated, keep_the_disk_busy, receive_frames),
        needs=("E1000", IOMMU_OPTION),
    ),
)
