# SPDX-License-Identifier: GPL-2.0
"""Checks of the VMCOREINFO that the module makes, by the kernel's debug information."""

import re

import drgn
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import NoteSection

from harness import paths
from harness.crash.scenario import Facts
from harness.dump.dump import Dump

LINE = re.compile(r"(?P<kind>[A-Z]+)\((?P<name>[\w.]+)\)")


def describes_the_kernel(dump: Dump, facts: Facts) -> None:
    """Each line that has a counterpart in the debug information says the same."""
    checked = set()
    for key, value in dump.vmcoreinfo.items():
        if not (match := LINE.fullmatch(key)):
            continue
        expected = EXPECTED[match["kind"]](dump.program, match["name"])
        if expected is not None:
            checked.add(match["kind"])
            found = int(value, 16 if match["kind"] == "SYMBOL" else 0)
            assert (found - expected) % (1 << 64) == 0, (key, value, hex(expected))
    assert checked == EXPECTED.keys()
    assert dump.vmcoreinfo["BUILD-ID"] == build_id()
    assert int(dump.vmcoreinfo["PAGESIZE"]) == dump.program["PAGE_SIZE"].value_()


def build_id() -> str:
    """The build ID in the kernel's file."""
    with open(paths.VMLINUX, "rb") as file:
        sections = ELFFile(file).iter_sections()
        found_in = [section for section in sections if isinstance(section, NoteSection)]
        notes = [note for section in found_in for note in section.iter_notes()]
        [found] = [note for note in notes if note["n_type"] == "NT_GNU_BUILD_ID"]
        return str(found["n_desc"])


def symbol(program: drgn.Program, name: str) -> int:
    """The address of a variable, or what kernels tell in its place."""
    match name:
        # Of pointers the value.
        case "mem_section" | "vmemmap":
            return int(program[name].value_())
        case "node_online_map":
            return int(program["node_states"][program["N_ONLINE"]].address_ or 0)
        case "swapper_pg_dir":
            return int(program["init_mm"].pgd.value_())
    return int(program.symbol(name).address)


def offset(program: drgn.Program, name: str) -> int:
    """The bytes before a member."""
    structure, member = name.split(".")
    return int(drgn.offsetof(program.type(f"struct {structure}"), member))


def size(program: drgn.Program, name: str) -> int:
    """The bytes in a structure."""
    return int(drgn.sizeof(program.type(name if name.endswith("_t") else f"struct {name}")))


def length(program: drgn.Program, name: str) -> int | None:
    """The elements of an array, if it was not allocated."""
    structure, _, member = name.partition(".")
    if member:
        kind = program.type(f"struct {structure}").member(member).type
    else:
        kind = program[name].type_
    return kind.length if kind.kind == drgn.TypeKind.ARRAY else None


def number(program: drgn.Program, name: str) -> int | None:
    """The value of a constant or a variable; macros are not in the debug information."""
    try:
        found = program[name]
    except LookupError:
        return None
    return None if found.type_.kind == drgn.TypeKind.FUNCTION else int(found.value_())


EXPECTED = {"SYMBOL": symbol, "OFFSET": offset, "SIZE": size, "LENGTH": length, "NUMBER": number}
