// SPDX-License-Identifier: GPL-2.0

//! Device trees as values, and their flattened form written and read a second time, for comparison.
//!
//! This follows the Devicetree Specification v0.4, chapter 5, and shares nothing with the crate.

pub mod any;

use std::collections::BTreeMap;

/// A device tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    pub reservations: Vec<(u64, u64)>,
    pub boot_cpuid_phys: u32,
    pub root: Node,
}

/// A node of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    pub name: String,
    pub properties: Vec<(String, Vec<u8>)>,
    pub children: Vec<Node>,
}

/// Freedom that the format leaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layout {
    /// Whether the strings block comes before the structure block.
    pub strings_first: bool,
    /// Whether NOP tokens stand between the others.
    pub nops: bool,
    /// Unused bytes after each block.
    pub gap: usize,
}

impl Node {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    pub fn with(mut self, name: &str, value: &[u8]) -> Self {
        self.properties.push((name.into(), value.into()));
        self
    }

    pub fn with_child(mut self, child: Node) -> Self {
        self.children.push(child);
        self
    }

    pub fn child(&self, name: &str) -> &Node {
        let mut children = self.children.iter();
        children.find(|child| child.name == name).expect(name)
    }

    pub fn property(&self, name: &str) -> Option<&[u8]> {
        let mut properties = self.properties.iter();
        properties
            .find(|(other, _)| other == name)
            .map(|(_, value)| &value[..])
    }

    fn encode(&self, structure: &mut Vec<u8>, strings: &mut Strings, nops: bool) {
        let token = |structure: &mut Vec<u8>, token: u32| {
            if nops {
                structure.extend(4_u32.to_be_bytes());
            }
            structure.extend(token.to_be_bytes());
        };
        token(structure, 1);
        structure.extend(self.name.as_bytes());
        structure.push(0);
        pad(structure, 4);
        for (name, value) in &self.properties {
            token(structure, 3);
            structure.extend((value.len() as u32).to_be_bytes());
            structure.extend(strings.offset(name).to_be_bytes());
            structure.extend(value);
            pad(structure, 4);
        }
        for child in &self.children {
            child.encode(structure, strings, nops);
        }
        token(structure, 2);
    }
}

#[derive(Default)]
struct Strings {
    bytes: Vec<u8>,
    offsets: BTreeMap<String, u32>,
}

impl Strings {
    fn offset(&mut self, name: &str) -> u32 {
        *self.offsets.entry(name.into()).or_insert_with(|| {
            let offset = self.bytes.len() as u32;
            self.bytes.extend(name.as_bytes());
            self.bytes.push(0);
            offset
        })
    }
}

fn pad(bytes: &mut Vec<u8>, alignment: usize) {
    bytes.resize(bytes.len().next_multiple_of(alignment), 0);
}

impl Tree {
    /// A tree of one node.
    pub fn new(root: Node) -> Self {
        Self {
            reservations: vec![],
            boot_cpuid_phys: 0,
            root,
        }
    }

    /// The flattened form.
    pub fn encode(&self, layout: Layout) -> Vec<u8> {
        let mut strings = Strings::default();
        let mut structure = vec![];
        self.root.encode(&mut structure, &mut strings, layout.nops);
        structure.extend(9_u32.to_be_bytes());
        let strings = strings.bytes;

        let mut out = vec![0; 40];
        let gap = |out: &mut Vec<u8>| {
            out.resize(out.len() + layout.gap, 0xee);
            pad(out, 8);
        };
        let reservations_at = out.len();
        for (start, len) in self.reservations.iter().chain(&[(0, 0)]) {
            out.extend(start.to_be_bytes());
            out.extend(len.to_be_bytes());
        }
        gap(&mut out);
        let mut strings_at = out.len();
        if layout.strings_first {
            out.extend(&strings);
            gap(&mut out);
        }
        let structure_at = out.len();
        out.extend(&structure);
        if !layout.strings_first {
            gap(&mut out);
            strings_at = out.len();
            out.extend(&strings);
        }
        gap(&mut out);
        let header = [
            0xd00d_feed,
            out.len() as u32,
            structure_at as u32,
            strings_at as u32,
            reservations_at as u32,
            17,
            16,
            self.boot_cpuid_phys,
            strings.len() as u32,
            structure.len() as u32,
        ];
        for (place, field) in out.chunks_exact_mut(4).zip(header) {
            place.copy_from_slice(&field.to_be_bytes());
        }
        out
    }

    /// Reads the flattened form, which must be whole and must end with the last block.
    pub fn decode(bytes: &[u8]) -> Self {
        let header: Vec<usize> = (0..10).map(|field| be32(bytes, field * 4)).collect();
        let [magic, totalsize, structure, strings, reservations, version, compatible, boot_cpu, strings_len, structure_len] =
            header[..]
        else {
            unreachable!()
        };
        assert_eq!(
            (magic, version, compatible),
            (0xd00d_feed, 17, 16),
            "header"
        );
        assert_eq!(totalsize, bytes.len(), "totalsize");
        assert_eq!(reservations % 8, 0, "alignment of the reservations");
        assert_eq!(structure % 4, 0, "alignment of the structure");

        let entry = |index: usize| {
            let at = reservations + index * 16;
            let number = |at| u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap());
            (number(at), number(at + 8))
        };
        let entries = (0..).map(entry).take_while(|entry| *entry != (0, 0));
        let mut reader = Reader {
            structure: &bytes[structure..structure + structure_len],
            strings: &bytes[strings..strings + strings_len],
            at: 0,
        };
        assert_eq!(reader.token(), 1, "the root's token");
        let root = reader.node();
        assert_eq!(reader.token(), 9, "the last token");
        assert_eq!(reader.at, structure_len, "structure after its end");
        Self {
            reservations: entries.collect(),
            boot_cpuid_phys: boot_cpu as u32,
            root,
        }
    }
}

fn be32(bytes: &[u8], at: usize) -> usize {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

struct Reader<'a> {
    structure: &'a [u8],
    strings: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn number(&mut self) -> usize {
        self.at += 4;
        be32(self.structure, self.at - 4)
    }

    fn token(&mut self) -> usize {
        loop {
            match self.number() {
                4 => {}
                token => return token,
            }
        }
    }

    fn node(&mut self) -> Node {
        let name = string(self.structure, self.at);
        self.at = (self.at + name.len() + 1).next_multiple_of(4);
        let mut node = Node::new(&name);
        loop {
            match self.token() {
                1 => node.children.push(self.node()),
                2 => return node,
                3 => {
                    assert!(node.children.is_empty(), "a property after a subnode");
                    let (len, name) = (self.number(), self.number());
                    let value = self.structure[self.at..self.at + len].to_vec();
                    let name = string(self.strings, name);
                    assert_eq!(node.property(&name), None, "{name} is there twice");
                    node.properties.push((name, value));
                    self.at = (self.at + len).next_multiple_of(4);
                }
                token => panic!("token {token:#x}"),
            }
        }
    }
}

fn string(bytes: &[u8], at: usize) -> String {
    let len = bytes[at..].iter().position(|byte| *byte == 0).unwrap();
    String::from_utf8(bytes[at..at + len].to_vec()).unwrap()
}

/// Cells, as properties have them.
pub fn cells(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_be_bytes()).collect()
}

/// A tree with the properties that firmware, a boot loader and an earlier kexec add.
pub fn running() -> Tree {
    let root = Node::new("")
        .with("#address-cells", &cells(&[2]))
        .with("#size-cells", &cells(&[2]))
        .with("compatible", b"linux,dummy-virt\0")
        .with_child(
            Node::new("memory@40000000")
                .with("device_type", b"memory\0")
                .with("reg", &cells(&[0, 0x4000_0000, 0, 0x4000_0000])),
        )
        .with_child(
            Node::new("reserved-memory")
                .with("#address-cells", &cells(&[2]))
                .with("#size-cells", &cells(&[2]))
                .with("ranges", b"")
                .with_child(
                    Node::new("firmware@7f000000")
                        .with("reg", &cells(&[0, 0x7f00_0000, 0, 0x10_0000]))
                        .with("no-map", b""),
                ),
        )
        .with_child(
            Node::new("chosen")
                .with("stdout-path", b"/pl011@9000000\0")
                .with("bootargs", b"console=ttyAMA0 crashkernel=256M\0")
                .with("linux,initrd-start", &cells(&[0x4800_0000]))
                .with("linux,initrd-end", &cells(&[0, 0x4812_3456]))
                .with("linux,usable-memory-range", &cells(&[0, 1, 0, 2]))
                .with("linux,elfcorehdr", &cells(&[0, 3, 0, 4]))
                .with("kaslr-seed", &cells(&[5, 6]))
                .with("rng-seed", &[7; 32])
                .with("linux,booted-from-kexec", b"")
                .with(
                    "linux,ima-kexec-buffer",
                    &cells(&[0, 0x4900_0000, 0, 0x2000]),
                )
                .with("linux,kho-fdt", &cells(&[0, 8, 0, 9]))
                .with("linux,uefi-system-table", &cells(&[1, 2]))
                .with_child(Node::new("framebuffer@0").with("bootargs", b"mine\0")),
        )
        .with_child(
            Node::new("pl011@9000000")
                .with("compatible", b"arm,pl011\0arm,primecell\0")
                .with("reg", &cells(&[0, 0x900_0000, 0, 0x1000])),
        )
        .with_child(
            Node::new("psci")
                .with("compatible", b"arm,psci-1.0\0arm,psci-0.2\0arm,psci\0")
                .with("method", b"hvc\0")
                .with("cpu_off", &cells(&[0x8400_0002])),
        );
    Tree {
        reservations: vec![
            (0x4700_0000, 0x5678),
            (0x4800_0000, 0x12_4000),
            (0x4900_0000, 0x2000),
            (0x7e00_0000, 0x1_0000),
        ],
        boot_cpuid_phys: 3,
        root,
    }
}
