// SPDX-License-Identifier: GPL-2.0

//! The same edit made with libfdt's tools, on trees that dtc and QEMU have made.
//!
//! Where a tool is not installed, its tests say so and pass.

use std::{
    fs,
    path::{
        Path,
        PathBuf, //
    },
    process::Command, //
};

use kexec_core::handover::{
    arm64::{
        console::find_stdout,
        device_tree::{
            next_tree,
            tree_len_bound, //
        },
        fdt::Fdt, //
    },
    command_line::Console, //
};

use super::{
    device_tree::changes,
    tree::{
        running,
        Layout, //
    }, //
};

/// Whether all of these programs can be started.
fn have(programs: &[&str]) -> bool {
    programs.iter().all(|program| {
        let found = Command::new(program).arg("--version").output().is_ok();
        if !found {
            eprintln!("skipped: {program} is not installed");
        }
        found
    })
}

/// Runs a program, which must succeed, and returns its output.
fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// A tree as dtc writes it, with nodes and properties sorted.
fn source(tree: &Path) -> String {
    let path = tree.to_str().unwrap();
    run("dtc", &["-q", "-s", "-I", "dtb", "-O", "dts", path])
}

/// Makes the changes to the tree in a file with `fdtput`.
fn edit_with_libfdt(tree: &Path) {
    let path = tree.to_str().unwrap();
    for name in [
        "linux,initrd-start",
        "linux,initrd-end",
        "linux,ima-kexec-buffer",
        "linux,kho-fdt",
    ] {
        // It fails where there is none.
        let _ = Command::new("fdtput")
            .args(["-d", path, "/chosen", name])
            .output();
    }
    let put = |kind: &str, name: &str, values: &[&str]| {
        let mut arguments = vec!["-p", "-t", kind, path, "/chosen", name];
        arguments.extend(values);
        run("fdtput", &arguments);
    };
    put("x", "linux,elfcorehdr", &["0", "5fff0000", "0", "10000"]);
    put(
        "x",
        "linux,usable-memory-range",
        &["0", "50000000", "0", "10000000"],
    );
    put("x", "linux,initrd-start", &["0", "58000000"]);
    put("x", "linux,initrd-end", &["0", "58234567"]);
    put("s", "bootargs", &["console=ttyAMA0 nr_cpus=1"]);
    put("x", "kaslr-seed", &["11223344", "55667788"]);
    put("bx", "rng-seed", &["a5"; 64]);
    put("x", "linux,booted-from-kexec", &[]);
}

/// Captures the tree in a file, and compares with libfdt.
fn compare(name: &str, running: &[u8]) -> usize {
    let changes = changes();
    let mut out = vec![0; tree_len_bound(running.len(), &changes)];
    let len = next_tree(&mut out, running, &changes).unwrap();
    let (ours, libfdt) = (
        file(&format!("{name}.ours")),
        file(&format!("{name}.libfdt")),
    );
    fs::write(&ours, &out[..len]).unwrap();
    fs::write(&libfdt, running).unwrap();
    edit_with_libfdt(&libfdt);

    let without_reservations = |source: String| {
        let lines = source
            .lines()
            .filter(|line| !line.starts_with("/memreserve/"));
        lines.map(String::from).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        without_reservations(source(&ours)),
        without_reservations(source(&libfdt))
    );
    len
}

#[test]
fn libfdt_makes_the_same_of_an_assembled_tree() {
    if !have(&["dtc", "fdtput"]) {
        return;
    }
    compare("assembled.dtb", &running().encode(Layout::default()));
    let ours = source(&file("assembled.dtb.ours"));
    let reserved: Vec<_> = ours
        .lines()
        .filter(|line| line.starts_with("/memreserve/"))
        .collect();
    assert_eq!(
        reserved,
        [
            "/memreserve/\t0x0000000047000000 0x0000000000005678;",
            "/memreserve/\t0x000000007e000000 0x0000000000010000;"
        ]
    );
}

#[test]
fn libfdt_makes_the_same_of_a_tree_by_dtc() {
    if !have(&["dtc", "fdtput"]) {
        return;
    }
    const SOURCE: &str = r#"
        /dts-v1/;
        /memreserve/ 0x40000000 0x1000;
        / {
            #address-cells = <2>;
            #size-cells = <2>;
            aliases { serial0 = &uart; };
            reserved-memory {
                #address-cells = <2>;
                #size-cells = <2>;
                ranges;
                secmon@7f000000 { reg = <0 0x7f000000 0 0x100000>; no-map; };
            };
            soc {
                #address-cells = <1>;
                #size-cells = <1>;
                ranges = <0 0 0x9000000 0x100000>;
                uart: serial@1000 { compatible = "arm,pl011"; reg = <0x1000 0x1000>; };
            };
            chosen { stdout-path = "serial0:115200n8"; };
        };
    "#;
    let (dts, dtb) = (file("by-dtc.dts"), file("by-dtc.dtb"));
    fs::write(&dts, SOURCE).unwrap();
    let [from, to] = [&dts, &dtb].map(|path| path.to_str().unwrap());
    // With labels, with room, and for another boot CPU.
    run(
        "dtc",
        &[
            "-q", "-@", "-b", "2", "-p", "4096", "-O", "dtb", "-o", to, from,
        ],
    );
    let running = fs::read(&dtb).unwrap();
    compare("by-dtc.dtb", &running);
    assert_eq!(
        find_stdout(&Fdt::parse(&running).unwrap()),
        Some(Console::Pl011 {
            address: 0x900_1000
        })
    );
}

#[test]
fn libfdt_makes_the_same_of_a_tree_by_qemu() {
    if !have(&["dtc", "fdtput", "qemu-system-aarch64"]) {
        return;
    }
    for (name, machine) in [
        ("gicv3.dtb", "virt,gic-version=3"),
        ("el2.dtb", "virt,gic-version=2,virtualization=on"),
    ] {
        let dtb = file(name);
        let machine = format!("{machine},dumpdtb={}", dtb.display());
        run(
            "qemu-system-aarch64",
            &[
                "-M",
                &machine,
                "-cpu",
                "cortex-a72",
                "-smp",
                "4",
                "-m",
                "1G",
                "-display",
                "none",
            ],
        );
        let running = fs::read(&dtb).unwrap();
        let len = compare(name, &running);
        // QEMU leaves a lot of room in its tree.
        assert!(running.len() >= 1 << 20 && len < 16 << 10, "{len:#x}");

        let tree = Fdt::parse(&running).unwrap();
        assert_eq!(
            find_stdout(&tree),
            Some(Console::Pl011 {
                address: 0x900_0000
            })
        );
    }
}
