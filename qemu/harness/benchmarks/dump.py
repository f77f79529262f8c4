# SPDX-License-Identifier: GPL-2.0
"""How fast a dump is saved: rkdump and makedumpfile, on this machine and of the same file.

Both read an ELF core that is in the page cache, leave out what dump level 31 says, and write to a
file, which is on the disk in the end. For each codec and number of threads they run by turns. The
time of the CPUs stands beside the time that passed, which is longer where others use the CPUs, and
so does the memory that the program had for itself.

Without --vmcore a guest is crashed, a third of whose memory has been touched: with text, programs
and random data in files, and with many small files, for the kernel to have objects of.
"""

import argparse
import asyncio
import os
import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

from harness import paths
from harness.benchmarks.measurement import by_turns, options, ratio, spread
from harness.crash.run import crash_and_save
from harness.crash.scenario import Scenario
from harness.dump.bitmap import Bitmaps
from harness.dump.tools import TOOLS
from harness.guest.guest import Guest
from harness.machine.hardware import Hardware, sparse
from harness.units import MIB

OURS = "rkdump"
THEIRS = "makedumpfile"

# makedumpfile's letters; it compresses at level 1. Both have the level that is their own.
CODECS = {"zlib": "-c", "zstd": "-z", "lzo": "-l", "snappy": "-p", "none": ""}
THREADS = (1, 2)

# How often a program's memory is looked at while it runs.
SAMPLE_S = 0.002

# Seconds that a run may take. makedumpfile's threads wait for each other by spinning.
PATIENCE = 900


@dataclass(frozen=True)
class Run:
    """What one run took."""

    seconds: float
    cpu_seconds: float
    anonymous_kib: int
    length: int
    pages: int

    @property
    def page_length(self) -> float:
        """What a page takes in the file."""
        return self.length / self.pages


def run(command: list[str | Path], out: Path) -> Run:
    """Runs a program that writes `out`, which is removed."""
    out.unlink(missing_ok=True)
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    status = Path(f"/proc/{process.pid}/status")
    anonymous = 0
    while True:
        ended, code, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        if time.monotonic() - begin > PATIENCE:
            process.kill()
        found = re.search(r"^RssAnon:\s*(\d+) kB", status.read_text(), re.MULTILINE)
        anonymous = max(anonymous, int(found[1]) if found else 0)
        time.sleep(SAMPLE_S)
    # rkdump has waited for the disk, and makedumpfile has not.
    with out.open("rb") as written:
        os.fsync(written.fileno())
    seconds = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(code)
    said = process.stderr.read().decode(errors="replace")
    process.stderr.close()
    assert process.returncode == 0, f"{command}: {said[-2000:]}"
    length = out.stat().st_size
    pages = Bitmaps.read(out).dumped.bit_count()
    out.unlink()
    return Run(seconds, usage.ru_utime + usage.ru_stime, anonymous, length, pages)


def command_of(name: str, codec: str, threads: int, vmcore: Path, out: Path) -> list[str | Path]:
    """The command line of a program."""
    if name == OURS:
        asked = ["--compress", codec, "--threads", str(threads)]
        return [
            paths.RKDUMP_ON_HOST,
            "save",
            *asked,
            "--no-manifest",
            "--progress",
            "none",
            vmcore,
            out,
        ]
    asked = [CODECS[codec]] if CODECS[codec] else []
    if threads > 1:
        asked += ["--num-threads", str(threads)]
    return [TOOLS / THEIRS, *asked, "-d", "31", "--message-level", "4", vmcore, out]


def missing_codecs() -> set[str]:
    """The codecs that this makedumpfile was built without."""
    said = subprocess.run([TOOLS / THEIRS, "-v"], capture_output=True, text=True).stdout
    return {line.split()[0] for line in said.splitlines() if line.endswith("disabled")}


async def compare(vmcore: Path, directory: Path, runs: int, codecs: list[str]) -> None:
    """Prints what each codec takes with each number of threads."""
    out = directory / "out"
    absent = missing_codecs()
    with vmcore.open("rb") as file:
        begin = time.monotonic()
        while file.read(MIB):
            pass
        seconds = time.monotonic() - begin
    size_mib = vmcore.stat().st_size / MIB
    print(f"{vmcore}: {size_mib:.0f} MiB, read in {seconds:.2f} s; medians of {runs} (range)")
    for codec in codecs:
        names = [OURS] if codec in absent else [OURS, THEIRS]
        alone: list[float] = []
        for threads in THREADS:

            async def measure(name: str, _: int, codec: str = codec, threads: int = threads) -> Run:
                return run(command_of(name, codec, threads, vmcore, out), out)

            found = await by_turns(names, runs, measure, warm_up=1)
            for name, figures in found.items():
                times = [figure.seconds for figure in figures]
                cpu = [figure.cpu_seconds for figure in figures]
                peak = max(figure.anonymous_kib for figure in figures)
                print(
                    f"  {codec:<6} {threads} threads {name:<12} {spread(times, 2, ' s')}, "
                    f"CPU {spread(cpu, 2, ' s')}, {figures[0].length / MIB:.1f} MiB "
                    f"of {figures[0].pages} pages, anonymous {peak / 1024:.1f} MiB",
                    flush=True,
                )
            if THEIRS not in found:
                print(f"  {codec:<6} this makedumpfile has no {codec}", flush=True)
                continue
            ours, theirs = found[OURS], found[THEIRS]
            if threads == 1:
                alone = [figure.seconds for figure in theirs]
            times = [figure.seconds for figure in ours]
            print(
                f"  {codec:<6} {threads} threads: time "
                f"{ratio(times, [figure.seconds for figure in theirs]):.2f} of makedumpfile's, "
                f"{ratio(times, alone):.2f} of its with one thread, CPU "
                f"{ratio([f.cpu_seconds for f in ours], [f.cpu_seconds for f in theirs]):.2f}, "
                f"size {ours[0].length / theirs[0].length:.3f}, "
                f"{ours[0].page_length / theirs[0].page_length:.3f} a page",
                flush=True,
            )


async def touch(guest: Guest) -> None:
    """Fills a third of the memory, as a machine that works has it filled."""
    await guest.shell(
        """
        total=$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)
        mkdir -p /tmp/text /tmp/code /tmp/random /tmp/small
        megabytes=0
        while [ $megabytes -lt $((total / 3)) ]; do
            dmesg | head -c 1048576 >/tmp/text/$megabytes
            head -c 1048576 /bin/busybox >/tmp/code/$megabytes
            head -c 1048576 /dev/urandom >/tmp/random/$megabytes
            megabytes=$((megabytes + 3))
        done
        cd /tmp/small && seq $((total * 8)) | xargs touch
        """,
        timeout_s=PATIENCE,
    )


def made(memory_mib: int) -> Path:
    """The dump of a guest that was made for this."""
    directory = paths.results("bench", paths.RUN)
    hardware = Hardware(cpus=2, memory_mib=memory_mib, arguments=sparse(memory_mib))
    scenario = Scenario(name=f"dump-{memory_mib}", hardware=hardware, prepare=(touch,))
    asyncio.run(crash_and_save(scenario, directory, Random(0)))
    return directory / "vmcore"


def main() -> None:
    """Runs what was asked for."""
    parser: argparse.ArgumentParser = options(__doc__, runs=5, what="of each")
    parser.add_argument("--vmcore", type=Path, metavar="FILE", help="an ELF core that is there")
    parser.add_argument(
        "--memory", type=int, default=2048, metavar="MIB", help="or a guest's memory (%(default)s)"
    )
    parser.add_argument(
        "--codecs", nargs="+", choices=CODECS, default=list(CODECS), help="some codecs only"
    )
    parser.add_argument(
        "--directory",
        type=Path,
        help="where the dumps go; without it, to a directory for temporary files",
    )
    asked = parser.parse_args()
    vmcore = asked.vmcore or made(asked.memory)
    with tempfile.TemporaryDirectory(dir=asked.directory) as directory:
        asyncio.run(compare(vmcore, Path(directory), asked.runs, asked.codecs))


if __name__ == "__main__":
    main()
