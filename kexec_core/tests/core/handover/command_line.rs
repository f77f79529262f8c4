// SPDX-License-Identifier: GPL-2.0

//! The capture kernel's command line.

use kexec_core::{
    handover::command_line::{
        capture_command_line,
        find_console,
        reboot_command_line,
        CommandLineError,
        Console, //
    },
    types::errno::Errno, //
};
use proptest::prelude::*;

const LIMIT: u32 = 2047;

fn build(user: &str) -> Result<String, CommandLineError> {
    let mut out = [0xaa; 4096];
    let len = capture_command_line(&mut out, user.as_bytes(), 0x3fff_f000, false, LIMIT)?;
    assert_eq!(out[len], 0, "the NUL is missing");
    Ok(String::from_utf8(out[..len].to_vec()).unwrap())
}

#[test]
fn the_elfcorehdr_is_named_before_what_the_user_gave() {
    assert_eq!(build("").unwrap(), "elfcorehdr=0x3ffff000");
    assert_eq!(
        build("console=ttyS0 nr_cpus=1").unwrap(),
        "elfcorehdr=0x3ffff000 console=ttyS0 nr_cpus=1"
    );
    // After these, the kernel would not see it.
    assert_eq!(
        build("quiet -- single").unwrap(),
        "elfcorehdr=0x3ffff000 quiet -- single"
    );
    assert_eq!(
        build("dyndbg=\"file").unwrap(),
        "elfcorehdr=0x3ffff000 dyndbg=\"file"
    );
}

#[test]
fn memory_devices_are_kept_from_the_capture_kernel_where_acpi_names_them() {
    let mut out = [0; 64];
    let len = capture_command_line(&mut out, b"", 0x1000, true, LIMIT).unwrap();
    assert_eq!(&out[..len], b"elfcorehdr=0x1000 acpi_no_memhotplug");
}

#[test]
fn the_highest_address_has_room() {
    let mut out = [0; 64];
    let len = capture_command_line(&mut out, b"x", u64::MAX, true, LIMIT).unwrap();
    assert_eq!(
        &out[..len],
        b"elfcorehdr=0xffffffffffffffff acpi_no_memhotplug x"
    );
}

#[test]
fn an_elfcorehdr_of_the_user_s_is_refused() {
    let cases = [
        ("elfcorehdr=0x1000", Some(0)),
        ("quiet elfcorehdr=1M@16M", Some(6)),
        ("quiet\telfcorehdr=0", Some(6)),
        ("\"elfcorehdr=0x1000\"", Some(0)),
        ("a=\"b c\" elfcorehdr=0", Some(8)),
        ("quiet -- elfcorehdr=0", Some(9)),
        ("noelfcorehdr=0", None),
        ("elfcorehdrs=0", None),
        ("a=\"b elfcorehdr=0\"", None),
        ("a=elfcorehdr=0", None),
    ];
    for (user, offset) in cases {
        match offset {
            None => assert!(build(user).is_ok(), "{user}"),
            Some(offset) => {
                let error = build(user).expect_err(user);
                assert_eq!(error, CommandLineError::Elfcorehdr { offset }, "{user}");
                assert_eq!(error.errno(), Errno::Inval);
            }
        }
    }
}

#[test]
fn a_byte_that_ends_a_line_is_refused() {
    for (user, byte) in [("a\0b", 0), ("a\nb", 10), ("a\rb", 13)] {
        let error = build(user).unwrap_err();
        assert_eq!(error, CommandLineError::Control { byte, offset: 1 });
        assert_eq!(error.errno(), Errno::Inval);
    }
    assert_eq!(
        build("a\nb").unwrap_err().to_string(),
        "the command line has the byte 0x0a at offset 1: NUL and newline cannot be part of a \
         command line"
    );
}

#[test]
fn the_limit_counts_what_is_added_but_not_the_nul() {
    const ADDED: usize = "elfcorehdr=0x3ffff000 ".len();
    let longest = "x".repeat(LIMIT as usize - ADDED);
    assert_eq!(build(&longest).unwrap().len(), LIMIT as usize);

    let error = build(&(longest + "x")).unwrap_err();
    assert_eq!(error.errno(), Errno::Inval);
    assert_eq!(
        error.to_string(),
        "the command line has 2026 bytes and 22 are added at load, but this kernel takes 2047 at \
         most"
    );
}

#[test]
fn the_line_of_a_kernel_for_a_reboot_is_the_users_own() {
    let mut out = [0xaa; 64];
    let user = b"root=/dev/vda1 -- single";
    let len = reboot_command_line(&mut out, user, LIMIT).unwrap();
    assert_eq!(&out[..=len], b"root=/dev/vda1 -- single\0");
    assert_eq!(reboot_command_line(&mut out, b"", LIMIT), Ok(0));
    // What it was told as a capture kernel's would have it look for a dump.
    assert_eq!(
        reboot_command_line(&mut out, b"quiet elfcorehdr=1M", LIMIT),
        Err(CommandLineError::Elfcorehdr { offset: 6 })
    );
    let line = [b'x'; LIMIT as usize + 1];
    let mut room = [0; LIMIT as usize + 2];
    assert!(matches!(
        reboot_command_line(&mut room, &line, LIMIT),
        Err(CommandLineError::TooLong { added_len: 0, .. })
    ));
}

#[test]
fn a_buffer_needs_room_for_the_nul() {
    let mut out = [0; 64];
    let len = "elfcorehdr=0x1000 quiet".len();
    assert_eq!(
        capture_command_line(&mut out[..len + 1], b"quiet", 0x1000, false, LIMIT),
        Ok(len)
    );
    assert_eq!(
        capture_command_line(&mut out[..len], b"quiet", 0x1000, false, LIMIT),
        Err(CommandLineError::Buffer {
            needed: len as u64 + 1,
            len
        })
    );
}

#[test]
fn the_last_serial_console_is_found() {
    let cases = [
        ("", None),
        ("quiet", None),
        ("console=ttyS0", Some(0x3f8)),
        ("console=ttyS1,115200n8", Some(0x2f8)),
        ("console=ttyS2 console=ttyS3", Some(0x2e8)),
        ("console=ttyS0 console=tty0", Some(0x3f8)),
        ("console=\"ttyS1,115200\"", Some(0x2f8)),
        ("\"console=ttyS1\"", Some(0x2f8)),
        ("console=ttyS4", None),
        ("console=ttyS", None),
        ("console=tty0", None),
        ("console=ttyAMA0", None),
        ("noconsole=ttyS0", None),
        ("quiet -- console=ttyS0", None),
        ("a=\"b console=ttyS0\"", None),
        ("console=uart8250,io,0x3e8,115200", Some(0x3e8)),
        ("earlycon=uart,io,0x2f8", Some(0x2f8)),
        ("console=uart8250,mmio,0xfe00", None),
        ("earlyprintk=serial,ttyS0,115200", Some(0x3f8)),
        ("earlyprintk=serial,ttyS1", Some(0x2f8)),
        ("earlyprintk=serial,0x3f8,115200", Some(0x3f8)),
        ("earlyprintk=serial,1", Some(0x2f8)),
        ("earlyprintk=serial", Some(0x3f8)),
        ("earlyprintk=ttyS1,115200", Some(0x2f8)),
        ("earlyprintk=serial,0x12345", None),
        ("earlyprintk=vga", None),
        ("earlyprintk=serial,ttyS0,115200 console=ttyS1", Some(0x2f8)),
    ];
    for (command_line, port) in cases {
        assert_eq!(
            find_console(command_line.as_bytes()),
            port.map(|port| Console::Uart8250 { port }),
            "{command_line}"
        );
    }
}

/// Splits a command line as the kernel's `next_arg` does, told from its description: white space
/// outside double quotes separates, a leading quote is not part of the parameter.
fn reference_parameters(text: &str) -> Vec<String> {
    let mut parameters = vec![String::new()];
    let mut in_quotes = false;
    for character in text.chars() {
        in_quotes ^= character == '"';
        if character == ' ' && !in_quotes {
            parameters.push(String::new());
        } else {
            parameters.last_mut().unwrap().push(character);
        }
    }
    parameters.retain(|parameter| !parameter.is_empty());
    for parameter in &mut parameters {
        if let Some(rest) = parameter.strip_prefix('"') {
            *parameter = rest.to_owned();
        }
    }
    parameters
}

proptest! {
    #[test]
    fn a_line_is_taken_unless_a_parameter_is_an_elfcorehdr(
        words in prop::collection::vec(
            prop_oneof!["elfcorehdr=1", "\"", "[a-z=]{1,3}", " ", "a=\""], 0..12)
    ) {
        let user = words.concat();
        let found = build(&user);
        if reference_parameters(&user).iter().any(|p| p.starts_with("elfcorehdr=")) {
            let refused = matches!(found, Err(CommandLineError::Elfcorehdr { .. }));
            prop_assert!(refused, "{:?}", user);
        } else {
            prop_assert!(found.unwrap().ends_with(&user));
        }
    }

    #[test]
    fn any_bytes_are_either_taken_whole_or_refused(
        user in prop::collection::vec(any::<u8>(), 0..80),
        address: u64,
        acpi: bool,
        limit in 0..120_u32,
        room in 0..140_usize,
    ) {
        let mut out = vec![0xaa; room];
        let _ = find_console(&user);
        if let Ok(len) = capture_command_line(&mut out, &user, address, acpi, limit) {
            prop_assert!(len as u64 <= u64::from(limit));
            prop_assert!(out[..len].ends_with(&user));
            prop_assert_eq!(out[len], 0);
        }
    }
}
