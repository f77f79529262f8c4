// SPDX-License-Identifier: GPL-2.0

//! The parameters of a kernel command line, split as the kernel splits them.

/// A parameter of a command line, split as the kernel splits it.
pub(crate) struct Parameter<'a> {
    /// The parameter, without a quote before it.
    pub(crate) text: &'a [u8],
    /// The offset of the parameter in the command line.
    pub(crate) offset: usize,
}

/// The parameters of a command line: white space separates them, except between double quotes.
pub(crate) struct Parameters<'a> {
    text: &'a [u8],
    offset: usize,
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Parameter<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.offset..)?;
        let start = rest.iter().position(|byte| !is_space(*byte))?;
        let rest = rest.get(start..)?;
        let mut in_quotes = false;
        let len = rest
            .iter()
            .position(|byte| {
                in_quotes ^= *byte == b'"';
                !in_quotes && is_space(*byte)
            })
            .unwrap_or(rest.len());
        let offset = self.offset.saturating_add(start);
        self.offset = offset.saturating_add(len);
        let text = rest.get(..len)?;
        // Quotes may stand around the whole parameter or around its value.
        let text = text.strip_prefix(b"\"").unwrap_or(text);
        Some(Parameter { text, offset })
    }
}

/// Whether the kernel takes a byte for white space: that of ASCII, or the no-break space of
/// Latin-1.
fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ' | 0xa0)
}

/// All parameters of a command line.
pub(crate) fn parameters(text: &[u8]) -> Parameters<'_> {
    Parameters { text, offset: 0 }
}

/// The names and values of the kernel's own parameters, without those of its first process. A
/// parameter without `=` has an empty value; quotes around a value are left out.
pub(crate) fn settings(command_line: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> + '_ {
    parameters(command_line)
        .take_while(|parameter| parameter.text != b"--")
        .map(|parameter| {
            let mut parts = parameter.text.splitn(2, |byte| *byte == b'=');
            let name = parts.next().unwrap_or_default();
            let value = parts.next().unwrap_or_default();
            let value = value.strip_prefix(b"\"").unwrap_or(value);
            let value = value.strip_suffix(b"\"").unwrap_or(value);
            (name, value)
        })
}
