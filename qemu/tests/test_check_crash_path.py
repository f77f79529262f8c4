# SPDX-License-Identifier: GPL-2.0
"""The findings of scripts/check-crash-path in listings of modules that are wrong."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest

from harness.paths import TOP

# It has no ending that says what it is.
LOADER = SourceFileLoader("checker", str(TOP / "scripts" / "check-crash-path"))
SPEC = spec_from_loader(LOADER.name, LOADER)
assert SPEC is not None
checker = module_from_spec(SPEC)
LOADER.exec_module(checker)

X86_64, ARM64 = "elf64-x86-64", "elf64-littleaarch64"


def listing(machine: str, *instructions: str, name: str = "helper", more: str = "") -> str:
    """A module whose crash path consists of its entries, which all call `name`."""
    call = {X86_64: "callq", ARM64: "bl"}[machine]
    lines = [f"module.ko:\tfile format {machine}", "", "Disassembly of section .text:", ""]
    address = 0
    for entry in checker.ENTRIES[machine]:
        symbol = f"_RNv7{len(entry)}{entry}" if entry == "panicking" else entry
        lines += [f"{address:016x} <{symbol}>:", f"{address:8x}:      \t{call}\t0x0 <{symbol}>"]
        lines += [f"\t\t{address:016x}:  R_X\t{name}", ""]
        address += 16
    lines += [f"{address:016x} <{name}>:"]
    for instruction in instructions:
        text, _, relocation = instruction.partition(" ~ ")
        lines += [f"{address:8x}:      \t{text}"]
        lines += [f"\t\t{address:016x}:  R_X\t{relocation}"] if relocation else []
    return "\n".join([*lines, "", more])


GOOD = {
    X86_64: ("callq\t0x5 <helper+0x5> ~ memcpy", "jne\t0x1 <helper+0x1>", "retq"),
    ARM64: ("bl\t0x5 <helper+0x5> ~ memcpy", "tbz\tw0, #0x3, 0x1 <helper+0x1>", "ret"),
}


@pytest.mark.parametrize("machine", GOOD)
def test_nothing_is_wrong(machine: str) -> None:
    reached, wrong = checker.check(listing(machine, *GOOD[machine]))
    assert wrong == []
    assert len(reached) == len(checker.ENTRIES[machine]) + 1


@pytest.mark.parametrize(
    ("machine", "instruction", "found"),
    [
        (X86_64, "callq\t0x5 <helper+0x5> ~ _printk-0x4", "_printk"),
        (X86_64, "jne\t0x5 <helper+0x5> ~ mutex_lock-0x4", "mutex_lock"),
        (X86_64, "callq\t*%rax", "pointer"),
        (X86_64, "jmpq\t*0x8(%rip)          # 0x10 <helper+0x10>", "pointer"),
        (X86_64, "notrack\t\tjmpq\t*%rax", "pointer"),
        (X86_64, "callq\t0x5 <helper+0x5> ~ __x86_indirect_thunk_r11-0x4", "pointer"),
        (X86_64, "callq\t0x5 <helper+0x5> ~ trace_hardirqs_off-0x4", "trace_hardirqs_off"),
        (X86_64, "callq\t0x5 <helper+0x5> ~ __fentry__-0x4", "__fentry__"),
        (ARM64, "bl\t0x5 <helper+0x5> ~ _printk", "_printk"),
        (ARM64, "cbz\tx0, 0x5 <helper+0x5> ~ mutex_lock", "mutex_lock"),
        (ARM64, "blr\tx8", "pointer"),
        (ARM64, "br\tx16", "pointer"),
        (ARM64, "blraa\tx8, x17", "pointer"),
    ],
)
def test_what_is_wrong(machine: str, instruction: str, found: str) -> None:
    _, [sentence] = checker.check(listing(machine, *GOOD[machine], instruction))
    assert sentence.startswith("helper calls ") and found in sentence


def test_what_is_named_may_call_through_pointers() -> None:
    for machine, instruction in ((X86_64, "callq\t*%rax"), (ARM64, "blr\tx8")):
        for name in checker.INDIRECT:
            parts = name.split("::")
            mangled = "_RNvMs_NtCs1_4main" + "".join(f"{len(part)}{part}" for part in parts)
            symbol = name if len(parts) == 1 else mangled
            assert checker.check(listing(machine, instruction, name=symbol))[1] == []


@pytest.mark.parametrize("printing", ["_printk", "_RNvNtCs1_6kernel5print11call_printk"])
def test_what_is_named_may_print(printing: str) -> None:
    instruction = f"callq\t0x5 <helper+0x5> ~ {printing}-0x4"
    [path] = checker.MAY_PRINT
    mangled = "_RNvNtNtCs1_4main5crash" + "".join(f"{len(part)}{part}" for part in path.split("::"))
    assert checker.check(listing(X86_64, instruction, name=mangled))[1] == []
    [sentence] = checker.check(listing(X86_64, instruction))[1]
    assert printing in sentence
    lock = "callq\t0x5 <helper+0x5> ~ mutex_lock-0x4"
    assert len(checker.check(listing(X86_64, lock, name=mangled))[1]) == 1


def test_instrumentation_is_known() -> None:
    for callee in (
        "__asan_report_load8_noabort",
        "__asan_store4_noabort",
        "__asan_memcpy",
        "__asan_report_store_n_noabort",
        "__asan_handle_no_return",
        "__kasan_check_read",
        "__ubsan_handle_out_of_bounds",
    ):
        assert checker.check(listing(X86_64, f"callq\t0x5 <helper+0x5> ~ {callee}-0x4"))[1] == []


def test_replacements_of_instructions_are_looked_at() -> None:
    replacement = "\n".join(
        (
            "Disassembly of section .altinstr_replacement:",
            "",
            "0000000000000000 <.altinstr_replacement>:",
            "       0:      \tjmp\t0x5 <.altinstr_replacement+0x5>",
            "\t\t0000000000000001:  R_X86_64_PLT32\tmutex_lock-0x4",
            "       5:      \tcallq\t0xa <.altinstr_replacement+0xa>",
            "\t\t0000000000000006:  R_X86_64_PLT32\tkfree-0x4",
        )
    )
    _, wrong = checker.check(listing(X86_64, *GOOD[X86_64], more=replacement))
    assert wrong == ["alternatives calls kfree"]


def test_an_entry_that_is_not_there() -> None:
    text = listing(X86_64, *GOOD[X86_64]).replace("<crash_nmi_callback>:", "<renamed>:")
    assert "the module has no crash_nmi_callback" in checker.check(text)[1]
