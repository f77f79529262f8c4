// SPDX-License-Identifier: GPL-2.0

//! The UART that the purgatory can write to. The capture kernel's command line names it; the device
//! tree or ACPI has its address where the command line does not tell.

use super::fdt::{
    path_names,
    take_number,
    Cells,
    Fdt,
    Node,
    DEPTH_MAX, //
};
use crate::{
    handover::command_line::Console,
    types::{
        bytes::{
            read_u64,
            read_u8, //
        },
        parameters::settings, //
    }, //
};

// The Serial Port Console Redirection table (SPCR 1.10): the kind of UART, and its address as a
// generic address structure (ACPI 6.5, 5.2.3.2), whose first byte is 0 for memory.
const SPCR_INTERFACE: usize = 36;
const SPCR_ADDRESS_SPACE: usize = 40;
const SPCR_ADDRESS: usize = 44;
/// Kinds of UART that can be used like a PL011: that one, and the generic ones of Arm's SBSA
/// (Debug Port Table 2, table 3).
const SPCR_PL011: [u8; 3] = [0x03, 0x0d, 0x0e];

/// The UART that the last `console=` or `earlycon=` of one names.
///
/// `earlycon=pl011,0x9000000` tells the address, and so does `pl011,mmio32,0x9000000`. For
/// `console=ttyAMA0` the address is in the device tree, or the UART is `firmware`, the one that
/// firmware uses. An `earlycon` without value always means `firmware`.
pub fn find_console(
    command_line: &[u8],
    tree: Option<&Fdt<'_>>,
    firmware: Option<Console>,
) -> Option<Console> {
    settings(command_line)
        .filter_map(|(name, value)| match (name, value) {
            (b"earlycon", b"") => firmware,
            (b"console" | b"earlycon", _) => from_value(value, tree, firmware),
            _ => None,
        })
        .last()
}

fn from_value(value: &[u8], tree: Option<&Fdt<'_>>, firmware: Option<Console>) -> Option<Console> {
    let device = value.split(|byte| *byte == b',').next()?;
    match device.strip_prefix(b"ttyAMA") {
        Some(number) => tree
            .and_then(|tree| find_numbered(tree, number))
            .or(firmware),
        // This architecture has no I/O ports, which a PC's consoles are reached by.
        None => {
            Console::from_console(value).filter(|console| matches!(console, Console::Pl011 { .. }))
        }
    }
}

/// The UART that firmware uses (`stdout-path` in /chosen), if it is one that can be written to.
pub fn find_stdout(tree: &Fdt<'_>) -> Option<Console> {
    let chosen = tree.node(b"/chosen")?;
    let path = chosen
        .string("stdout-path")
        .or_else(|| chosen.string("linux,stdout-path"))?;
    // The speed of the line follows after a colon.
    let path = path.split(|byte| *byte == b':').next()?;
    at_path(tree, path)
}

/// The UART that firmware uses, from ACPI's table `SPCR`, if it is one that can be written to.
pub fn find_in_spcr(spcr: &[u8]) -> Option<Console> {
    const MEMORY: u8 = 0;
    let interface = read_u8(spcr, SPCR_INTERFACE)?;
    let address = read_u64(spcr, SPCR_ADDRESS)?;
    let usable = SPCR_PL011.contains(&interface)
        && read_u8(spcr, SPCR_ADDRESS_SPACE)? == MEMORY
        && address != 0;
    usable.then_some(Console::Pl011 { address })
}

/// The UART that the kernel gives this number to.
fn find_numbered(tree: &Fdt<'_>, number: &[u8]) -> Option<Console> {
    let aliases = tree.node(b"/aliases")?;
    let alias = aliases
        .properties()
        .find(|property| property.name.strip_prefix(b"serial") == Some(number))?;
    pl011(tree, alias.value.split(|byte| *byte == 0).next()?)
}

/// The UART with this path, whose start can be an alias.
fn at_path(tree: &Fdt<'_>, path: &[u8]) -> Option<Console> {
    if path.starts_with(b"/") {
        return pl011(tree, path);
    }
    let aliases = tree.node(b"/aliases")?;
    let name = core::str::from_utf8(path).ok()?;
    pl011(tree, aliases.string(name)?)
}

fn pl011(tree: &Fdt<'_>, path: &[u8]) -> Option<Console> {
    let node = tree.node(path)?;
    if !node.is_compatible("arm,pl011") && !node.is_compatible("arm,sbsa-uart") {
        return None;
    }
    let address = physical_address(tree, path, &node)?;
    Some(Console::Pl011 { address })
}

/// The address in a device's first register range, as the CPU sees it.
fn physical_address(tree: &Fdt<'_>, path: &[u8], device: &Node<'_>) -> Option<u64> {
    let depth = path_names(path)?.take(DEPTH_MAX).count();
    let mut buses = (0..depth)
        .rev()
        .filter_map(|depth| tree.ancestor(path, depth));
    let mut bus = buses.next()?;
    let (mut address, _) = take_number(device.property("reg")?, bus.cells().address)?;
    for parent in buses {
        address = translate(address, &bus, parent.cells())?;
        bus = parent;
    }
    Some(address)
}

/// An address on `bus` as its parent sees it (Devicetree Specification v0.4, section 2.3.8).
fn translate(address: u64, bus: &Node<'_>, parent: Cells) -> Option<u64> {
    let Cells {
        address: bus_cells,
        size,
    } = bus.cells();
    let mut ranges = bus.property("ranges")?;
    if ranges.is_empty() {
        return Some(address);
    }
    // Each round takes something off the property, because a round that takes nothing ends the
    // loop.
    loop {
        let (start, rest) = take_number(ranges, bus_cells)?;
        let (parent_start, rest) = take_number(rest, parent.address)?;
        let (len, rest) = take_number(rest, size)?;
        if rest.len() == ranges.len() {
            return None;
        }
        ranges = rest;
        match address.checked_sub(start) {
            Some(offset) if offset < len => return parent_start.checked_add(offset),
            _ => {}
        }
    }
}
