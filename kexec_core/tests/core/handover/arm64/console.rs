// SPDX-License-Identifier: GPL-2.0

//! Which UART the purgatory writes to.

use kexec_core::handover::{
    arm64::{
        console::{
            find_console,
            find_in_spcr,
            find_stdout, //
        },
        fdt::Fdt, //
    },
    command_line::{
        self,
        Console, //
    }, //
};

use super::tree::{
    cells,
    running,
    Layout,
    Node,
    Tree, //
};

const fn pl011(address: u64) -> Option<Console> {
    Some(Console::Pl011 { address })
}

fn stdout(root: Node) -> Option<Console> {
    let bytes = Tree::new(root).encode(Layout::default());
    find_stdout(&Fdt::parse(&bytes).unwrap())
}

fn uart(compatible: &str, reg: &[u32]) -> Node {
    Node::new("uart@1000")
        .with("compatible", format!("{compatible}\0").as_bytes())
        .with("reg", &cells(reg))
}

#[test]
fn the_command_line_tells_the_address() {
    let cases = [
        ("earlycon=pl011,0x9000000", pl011(0x900_0000)),
        ("earlycon=pl011,0x9000000,115200n8", pl011(0x900_0000)),
        (
            "earlycon=pl011,mmio32,0xf0009000000",
            pl011(0xf00_0900_0000),
        ),
        ("console=pl011,mmio,0x1000", pl011(0x1000)),
        ("earlycon=\"pl011,0x1000\" console=tty0", pl011(0x1000)),
        ("earlycon=pl011,0x1000 console=pl011,0x2000", pl011(0x2000)),
        ("earlycon=pl011", None),
        ("earlycon=pl011,", None),
        ("earlycon=pl011,4096", None),
        ("earlycon=pl011,mmio32", None),
        ("earlycon=pl011,io,0x1000", None),
        ("earlycon=pl011,0x10000000000000000", None),
        ("noearlycon=pl011,0x1000", None),
        ("quiet -- earlycon=pl011,0x1000", None),
    ];
    for (line, console) in cases {
        let line = line.as_bytes();
        assert_eq!(command_line::find_console(line), console);
        assert_eq!(find_console(line, None, None), console);
    }
}

#[test]
fn the_device_tree_tells_what_the_command_line_leaves_open() {
    let mut tree = running();
    let bytes = tree.encode(Layout::default());
    let fdt = Fdt::parse(&bytes).unwrap();
    let found = |line: &str| find_console(line.as_bytes(), Some(&fdt), find_stdout(&fdt));
    assert_eq!(found("console=ttyAMA0,115200 quiet"), pl011(0x900_0000));
    assert_eq!(found("earlycon"), pl011(0x900_0000));
    assert_eq!(found("earlycon=pl011,0x1000"), pl011(0x1000));
    assert_eq!(found("earlycon=pl011,0x1000 console=tty0"), pl011(0x1000));
    // I/O ports mean nothing here.
    assert_eq!(found("earlycon console=ttyS0"), pl011(0x900_0000));
    assert_eq!(found("console=ttyS0"), None);
    assert_eq!(found(""), None);
    assert_eq!(find_console(b"console=ttyAMA0", None, None), None);

    tree.root.children.push(
        Node::new("aliases")
            .with("serial0", b"/pl011\0")
            .with("serial1", b"/uart@1000\0"),
    );
    let second = uart("arm,sbsa-uart", &[0, 0x1000, 0, 0x1000]);
    tree.root.children.push(second);
    let bytes = tree.encode(Layout::default());
    let fdt = Fdt::parse(&bytes).unwrap();
    let found = |line: &str| find_console(line.as_bytes(), Some(&fdt), find_stdout(&fdt));
    assert_eq!(found("console=ttyAMA1"), pl011(0x1000));
    assert_eq!(found("console=ttyAMA0"), pl011(0x900_0000));
}

#[test]
fn the_path_of_stdout_can_be_an_alias_and_have_options() {
    let root = |path: &[u8]| {
        Node::new("")
            .with_child(Node::new("chosen").with("stdout-path", path))
            .with_child(Node::new("aliases").with("serial0", b"/uart@1000\0"))
            .with_child(uart("arm,pl011", &[0x1000, 0x1000]))
    };
    for (path, console) in [
        (&b"/uart@1000\0"[..], pl011(0x1000)),
        (b"/uart@1000:115200n8\0", pl011(0x1000)),
        (b"/uart\0", pl011(0x1000)),
        (b"serial0:115200\0", pl011(0x1000)),
        (b"serial1\0", None),
        (b"/uart@2000\0", None),
        (b"/chosen\0", None),
        (b"/\0", None),
        (b"\0", None),
        (b"", None),
    ] {
        assert_eq!(stdout(root(path)), console);
    }
    assert_eq!(stdout(Node::new("")), None);
}

#[test]
fn only_a_uart_that_can_be_written_to_is_found() {
    let root = |compatible, reg: &[u32]| {
        Node::new("")
            .with_child(Node::new("chosen").with("stdout-path", b"/uart@1000\0"))
            .with_child(uart(compatible, reg))
    };
    assert_eq!(stdout(root("ns16550a", &[0x1000, 0x1000])), None);
    assert_eq!(stdout(root("arm,pl011", &[])), None);
    assert_eq!(stdout(root("arm,pl011", &[0x1000])), pl011(0x1000));
}

#[test]
fn an_address_is_translated_through_the_buses_above() {
    let root = |ranges: Option<Vec<u8>>| {
        let mut bus = Node::new("bus")
            .with("#address-cells", &cells(&[1]))
            .with("#size-cells", &cells(&[1]));
        if let Some(ranges) = ranges {
            bus = bus.with("ranges", &ranges);
        }
        let outer = Node::new("soc")
            .with("#address-cells", &cells(&[2]))
            .with("#size-cells", &cells(&[1]))
            .with("ranges", b"")
            .with_child(bus.with_child(uart("arm,pl011", &[0x1000, 0x1000])));
        Node::new("")
            .with("#address-cells", &cells(&[2]))
            .with("#size-cells", &cells(&[2]))
            .with_child(Node::new("chosen").with("stdout-path", b"/soc/bus/uart@1000\0"))
            .with_child(outer)
    };
    // Each entry: address on the bus, address on its parent's, length.
    let entries = cells(&[0, 0, 0x9000, 0x1000, 0x800, 8, 0x4000_0000, 0x1000]);
    assert_eq!(stdout(root(Some(entries))), pl011(0x8_4000_0800));
    assert_eq!(stdout(root(Some(vec![]))), pl011(0x1000));
    assert_eq!(stdout(root(None)), None, "registers below no window");
    let outside = cells(&[0x2000, 0, 0, 0x1000]);
    assert_eq!(stdout(root(Some(outside))), None);
    assert_eq!(stdout(root(Some(cells(&[0x1000])))), None, "a cut entry");
}

#[test]
fn cells_that_no_bus_can_have_end_the_search() {
    for address_cells in [0, 3, 0x4000_0000, u32::MAX] {
        let bus = Node::new("bus")
            .with("#address-cells", &cells(&[address_cells]))
            .with("#size-cells", &cells(&[0]))
            .with("ranges", &cells(&[1, 2, 3, 4]))
            .with_child(uart("arm,pl011", &[0x1000, 0x1000]));
        let root = Node::new("")
            .with("#address-cells", &cells(&[0]))
            .with_child(Node::new("chosen").with("stdout-path", b"/bus/uart\0"))
            .with_child(bus);
        assert_eq!(stdout(root), None, "{address_cells:#x}");
    }
}

#[test]
fn acpi_tells_what_firmware_uses() {
    // QEMU's, as far as the address.
    let mut spcr = [0; 80];
    spcr[..4].copy_from_slice(b"SPCR");
    spcr[36] = 0x03;
    spcr[40..52].copy_from_slice(&[0, 8, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0]);
    assert_eq!(find_in_spcr(&spcr), pl011(0x900_0000));
    for line in ["console=ttyAMA0,115200", "quiet earlycon"] {
        let found = |firmware| find_console(line.as_bytes(), None, firmware);
        assert_eq!(found(find_in_spcr(&spcr)), pl011(0x900_0000), "{line}");
        assert_eq!(found(None), None, "{line}");
    }
    assert_eq!(find_console(b"quiet", None, find_in_spcr(&spcr)), None);

    let changed = |offset: usize, byte| {
        let mut table = spcr;
        table[offset] = byte;
        find_in_spcr(&table)
    };
    assert_eq!(changed(36, 0x0e), pl011(0x900_0000));
    // A 16550, one in I/O space, and none at all.
    assert_eq!(changed(36, 0x00), None);
    assert_eq!(changed(40, 1), None);
    assert_eq!(changed(47, 0), None);
    assert_eq!(find_in_spcr(&spcr[..51]), None);
}
