# SPDX-License-Identifier: GPL-2.0
"""One QEMU process: its command line, its sockets, and its end."""

import asyncio
import contextlib
import mmap
import re
import shutil
import tempfile
from collections.abc import Awaitable, Iterator
from pathlib import Path
from signal import Signals
from typing import Any, Self, TypeVar

from qemu.qmp import EventListener, QMPClient

from harness import paths
from harness.machine import device_tree, network, secure_boot, spin_table
from harness.machine.console import Console
from harness.machine.errors import GuestError, QemuCrashed
from harness.machine.hardware import COUNTING, PLUGGED_MIB_MAX, Hardware, accelerator
from harness.machine.platform import PLATFORM
from harness.machine.port import Port
from harness.units import MIB, PAGE

T = TypeVar("T")


# The last line of panic(), and so the sign that nobody took over.
PANIC_ENDED = r"---\[ end Kernel panic"


# Seconds that QEMU may take to write a guest's memory.
KEEPING_S = 120

# How often the registers of a guest are written that does not answer.
SAMPLES = 3

# The virtio-serial device of the agent's channel, and the queues by which it sends to the guest:
# for control, and that of its port (virtio 1.2, 5.3.2; port 0 is for a console, and is not there).
CHANNEL = "channel"
CHANNEL_QUEUES = (2, 4)

# In QEMU's `info registers`.
REGISTER = re.compile(r"\b([A-Z]+)=([0-9a-f]+)")


class Machine:
    """A running QEMU; `async with` starts it and ends it whatever happens."""

    def __init__(self, hardware: Hardware, command_line: str, directory: Path, agent: Port) -> None:
        self.hardware = hardware
        self.command_line = command_line
        self.directory = directory
        self.console = Console()
        self._agent = agent
        self.disk = directory / "disk.img"
        self._initrd = directory / "initrd"
        self._device_tree = directory / "device_tree"
        self._variables = directory / "variables"
        self._memory = directory / "ram"
        self._monitor = QMPClient("guest")
        # Events of QEMU, such as its end and the reason for it.
        self._events = EventListener()
        self._shutdowns = EventListener("SHUTDOWN")
        self._process: asyncio.subprocess.Process | None = None
        self._flood: asyncio.Task[None] | None = None
        # Socket addresses are short, and the checkout's path may not be.
        self._sockets = Path(tempfile.mkdtemp(prefix="rust_kexec-"))

    def _board(self) -> str:
        """QEMU's `-machine`."""
        options = self.hardware.options
        if self.hardware.spin_table:
            options = spin_table.OPTIONS
        if self.hardware.secure_boot:
            options = secure_boot.OPTIONS
        return ",".join((*PLATFORM.machine, *options))

    def _processors(self) -> list[str]:
        hardware = self.hardware
        cpus, memory = str(hardware.cpus), f"{hardware.memory_mib}M"
        if hardware.hotplug:
            memory += f",slots=4,maxmem={hardware.memory_mib + PLUGGED_MIB_MAX}M"
        if hardware.hotplug and PLATFORM.plugs_cpus:
            cpus += f",maxcpus={2 * hardware.cpus}"
        disguise = PLATFORM.plugs_cpus if hardware.hotplug else ()
        return ["-cpu", hardware.cpu, "-smp", cpus, "-m", memory, *disguise]

    def _firmware(self) -> list[str]:
        """The firmware that starts before the kernel, unless it is QEMU's default."""
        if self.hardware.secure_boot:
            return secure_boot.arguments(self._variables)
        return ["-bios", PLATFORM.firmware] if self.hardware.firmware else []

    def _kernel(self) -> list[str]:
        """The kernel, and whatever starts it."""
        if self.hardware.spin_table:
            return spin_table.arguments(self._device_tree, self._initrd)
        return [
            *self._firmware(),
            *("-kernel", str(paths.KERNEL), "-initrd", str(self._initrd)),
            *("-append", self.command_line),
            *(("-dtb", str(self._device_tree)) if self.hardware.device_tree else ()),
        ]

    def _arguments(self) -> list[str]:
        hardware, sockets = self.hardware, self._sockets
        memory = (
            f"memory-backend-file,id=ram,size={hardware.memory_mib}M,share=on,"
            f"mem-path={self._memory}"
        )
        disk = (
            f"file={self.disk},format=raw,if=none,id=disk,cache=unsafe,"
            "discard=unmap,detect-zeroes=unmap"
        )
        return [
            # QEMU must not outlive the harness, however that ends.
            *("setpriv", "--pdeathsig", "KILL", "--"),
            PLATFORM.qemu,
            *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
            *("-machine", self._board()),
            *(COUNTING if hardware.counting else ("-accel", accelerator())),
            *(("-object", memory, "-machine", "memory-backend=ram") * hardware.open_memory),
            *self._processors(),
            *self._kernel(),
            *hardware.arguments,
            *(("-no-shutdown",) * hardware.stays),
            *(network.arguments(hardware.network, sockets) if hardware.network else ()),
            *("-qmp", f"unix:{sockets}/qmp"),
            *("-chardev", f"socket,id=console,path={sockets}/console"),
            *("-serial", "chardev:console"),
            *("-chardev", f"socket,id=agent,path={sockets}/agent"),
            *("-device", f"virtio-serial-pci,id={CHANNEL}"),
            *("-device", "virtserialport,chardev=agent,name=rust_kexec.agent"),
            # A dump is copied to it. Most of a guest's memory is zeros, which take no room.
            *("-drive", disk),
            *("-device", "virtio-blk-pci,drive=disk"),
        ]

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def _start(self) -> None:
        # The kernel unpacks one archive after the other.
        self._initrd.write_bytes(b"".join(part.read_bytes() for part in paths.PRODUCTION_INITRDS))
        if self.hardware.spin_table:
            spin_table.write_device_tree(
                self._device_tree,
                self._board(),
                self._processors(),
                self.command_line,
                self._initrd.stat().st_size,
            )
        if self.hardware.device_tree:
            source = device_tree.source(self._board(), self._processors())
            self._device_tree.write_bytes(device_tree.compiled(source + self.hardware.device_tree))
        with open(self.disk, "wb") as disk:
            # Room for all of memory, and for the headers before it.
            plugged_mib = PLUGGED_MIB_MAX * self.hardware.hotplug
            disk.truncate((self.hardware.memory_mib + plugged_mib + 64) * MIB)
        await self.console.serve(self._sockets / "console")
        await self._agent.serve(self._sockets / "agent")
        self._monitor.register_listener(self._events)
        self._monitor.register_listener(self._shutdowns)
        await self._monitor.start_server(str(self._sockets / "qmp"))
        with open(self.directory / "qemu.log", "wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._arguments(), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )
        await self.until(self._monitor.accept(), "QEMU's monitor", 30)
        if self.hardware.network:
            self._flood = asyncio.create_task(network.flood(self._sockets))

    async def _end(self) -> None:
        if self._flood is not None:
            self._flood.cancel()
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        # The connection broke when the process ended; nothing is lost.
        with contextlib.suppress(Exception):
            await self._monitor.disconnect()
        self._agent.close()
        self.console.close()
        self.disk.unlink(missing_ok=True)
        self._initrd.unlink(missing_ok=True)
        self._device_tree.unlink(missing_ok=True)
        self._variables.unlink(missing_ok=True)
        self._memory.unlink(missing_ok=True)
        (self.directory / "console.log").write_text(self.console.text())
        shutil.rmtree(self._sockets, ignore_errors=True)

    async def until(self, event: Awaitable[T], what: str, seconds: float) -> T:
        """Waits for an event, but no longer than it can still come.

        It cannot once QEMU has ended, a kernel has panicked without anybody taking over, or the
        time is over.
        """
        assert self._process is not None
        wanted = asyncio.ensure_future(event)
        ended = asyncio.ensure_future(self._process.wait())
        dead = asyncio.ensure_future(self.console.line(PANIC_ENDED))
        tasks = [wanted, ended, dead]
        if self.hardware.stays:
            tasks.append(asyncio.ensure_future(self.shut_down()))
        try:
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if wanted.done():
                cause = wanted.exception()
                if cause is None:
                    return wanted.result()
                # The connections to QEMU break a little before it has ended.
                await asyncio.wait([ended], timeout=1)
                reason = str(cause)
            elif dead.done():
                reason = "the kernel panicked, and nobody took over"
            elif tasks[-1].done():
                reason = f"the machine has ended: {tasks[-1].result()}"
            else:
                reason = f"{seconds:.0f} s are over"
                await self._write_registers()
            status = ended.result() if ended.done() else 0
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if status < 0:
            raise QemuCrashed(f"waited for {what}: QEMU died of {Signals(-status).name}")
        raise GuestError(f"waited for {what}: {reason}\n{self._last_words()}")

    async def shut_down(self) -> str:
        """Waits until the machine ends, and says for what reason, in QEMU's words."""
        data = (await self._shutdowns.get())["data"]
        assert isinstance(data, dict)
        return str(data["reason"])

    async def _write_registers(self) -> None:
        """Writes what the CPUs do to the file `registers.log`, if QEMU still says.

        More than once: a CPU that waits in a loop is told from one that hangs.
        """
        with contextlib.suppress(Exception):
            said = [
                await asyncio.wait_for(self._monitor_command("info registers -a"), KEEPING_S)
                for _ in range(SAMPLES)
            ]
            (self.directory / "registers.log").write_text("\n".join(said))

    async def _monitor_command(self, line: str) -> str:
        """A command of the monitor for people, and its answer."""
        return str(await self.execute("human-monitor-command", **{"command-line": line}))

    def _last_words(self) -> str:
        said = (self.directory / "qemu.log").read_text(errors="replace")
        for event in self._events.history:
            said += f"QEMU says: {event['event']} {event.get('data', '')}\n"
        tail = "\n".join(self.console.text().splitlines()[-25:])
        return f"{said}The console's last lines ({self.directory}/console.log):\n{tail}"

    async def execute(self, command: str, **arguments: Any) -> Any:
        """A QMP command."""
        return await self._monitor.execute(command, arguments or None)

    async def keep_memory(self, format: str = "kdump-zlib") -> Path | None:
        """Has QEMU write the guest's memory and registers to the file `memory`, if it still can."""
        path = self.directory / "memory"
        # What went wrong before is what is to be told.
        with contextlib.suppress(Exception):
            await asyncio.wait_for(
                self.execute(
                    "dump-guest-memory", paging=False, protocol=f"file:{path}", format=format
                ),
                KEEPING_S,
            )
            return path
        return None

    async def channel_buffers(self) -> int:
        """The bytes of the guest's memory that its driver has for what the agent is sent.

        It is a page for each entry of two queues, the device's and its port's. They have 32 and 128
        entries in QEMU 7.2, and 1024 each in QEMU 10.0.
        """
        path = f"/machine/peripheral/{CHANNEL}/virtio-backend"
        queues = [
            await self.execute("x-query-virtio-queue-status", path=path, queue=queue)
            for queue in CHANNEL_QUEUES
        ]
        return PAGE * sum(int(queue["vring-num"]) for queue in queues)

    async def reset(self, seconds: float) -> None:
        """Waits until the guest resets the machine, which is QEMU's end."""
        assert self._process is not None
        await asyncio.wait_for(self._process.wait(), seconds)
        reasons = [event.get("data", {}) for event in self._events.history]
        assert {"guest": True, "reason": "guest-reset"} in reasons, self._last_words()

    async def plug_memory(self, name: str, mib: int) -> None:
        """Plugs a DIMM in, which the guest is told by an interrupt."""
        await self.execute(
            "object-add", **{"qom-type": "memory-backend-ram", "id": name, "size": mib * MIB}
        )
        await self.execute("device_add", driver="pc-dimm", id=f"{name}-dimm", memdev=name)

    async def pull_memory(self, name: str) -> None:
        """Asks the guest for a DIMM, and waits until it has let go of it."""
        with self._monitor.listener("DEVICE_DELETED") as deleted:
            await self.execute("device_del", id=f"{name}-dimm")
            gone = None
            while gone != f"{name}-dimm":
                data = (await deleted.get())["data"]
                assert isinstance(data, dict)
                gone = data.get("device")

    async def plug_cpu(self) -> None:
        """Plugs a CPU in."""
        slots = await self.execute("query-hotpluggable-cpus")
        free = [slot for slot in slots if "qom-path" not in slot]
        # They are listed from the last one on.
        await self.execute("device_add", driver=free[-1]["type"], **free[-1]["props"])

    @contextlib.contextmanager
    def _ram(self) -> Iterator[mmap.mmap]:
        """The guest's first RAM."""
        with open(self._memory, "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            yield memory

    def flip(self, address: int, mask: int) -> None:
        """Flips bits of a byte of the guest's first RAM, as a device that goes astray would."""
        with self._ram() as memory:
            memory[address - PLATFORM.first_ram] ^= mask

    def find(self, what: bytes) -> list[int]:
        """Where the guest's first RAM has these bytes."""
        found: list[int] = []
        with self._ram() as memory:
            offset = memory.find(what)
            while offset >= 0:
                found.append(PLATFORM.first_ram + offset)
                offset = memory.find(what, offset + 1)
        return found

    async def registers(self) -> list[dict[str, int]]:
        """Each CPU's registers, of those whose names are letters only, by QEMU's names."""
        said = await self._monitor_command("info registers -a")
        return [
            {name: int(value, 16) for name, value in REGISTER.findall(cpu)}
            for cpu in re.split(r"^CPU#\d+", said, flags=re.MULTILINE)[1:]
        ]
