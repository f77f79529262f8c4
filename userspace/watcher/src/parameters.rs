// SPDX-License-Identifier: GPL-2.0

//! What the host has put on the kernel's command line.

use watcher::{
    account::{
        token_of,
        Token, //
    },
    INIT,
    SERVICE,
    TOKEN,
    TOOL_LEN, //
};

/// The watcher's parameters.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameters {
    /// What accounts begin with.
    pub token: Token,
    /// The initrd's own first program.
    pub init: String,
    /// A program that has to run.
    pub service: Option<String>,
    /// The bytes that programs which save the dump allocate.
    pub tool_len: u64,
}

impl Parameters {
    /// Reads them from a command line.
    pub fn read(command_line: &str) -> Result<Self, String> {
        let value = |name: &str| {
            let settings = command_line.split_ascii_whitespace();
            let mut settings = settings.filter_map(|word| word.split_once('='));
            let found = settings.find(|(found, _)| *found == name);
            found.map(|(_, value)| value)
        };
        let needed = |name: &str| {
            value(name).ok_or_else(|| format!("the command line has no {name}= for the watcher"))
        };
        let number = |name: &str| format!("{name}= on the command line is no number");
        Ok(Self {
            token: token_of(needed(TOKEN)?).ok_or_else(|| number(TOKEN))?,
            init: needed(INIT)?.to_owned(),
            service: value(SERVICE).map(str::to_owned),
            tool_len: needed(TOOL_LEN)?.parse().map_err(|_| number(TOOL_LEN))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_between_others() {
        let line = "console=ttyS0 rkexec_watcher.token=000102030405060708090a0b0c0d0e0f quiet \
                    rkexec_watcher.init=/init rkexec_watcher.tool_len=16 rkexec_watcher.service=dd\n";
        let parameters = Parameters::read(line).expect("they are good");
        assert_eq!(parameters.token[15], 15);
        assert_eq!(parameters.init, "/init");
        assert_eq!(parameters.service.as_deref(), Some("dd"));
        assert_eq!(parameters.tool_len, 16);
    }

    #[test]
    fn a_line_without_them_is_refused() {
        let sentence = Parameters::read("console=ttyS0").expect_err("there is no token");
        assert_eq!(
            sentence,
            "the command line has no rkexec_watcher.token= for the watcher"
        );
    }
}
