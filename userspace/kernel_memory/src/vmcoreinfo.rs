// SPDX-License-Identifier: GPL-2.0

//! VMCOREINFO as a map: what a kernel says of its symbols, structures and numbers.

use std::{
    collections::BTreeMap,
    fmt, //
};

/// What a kernel reserves for the text is a multiple of this: one page or more.
const ROOM: usize = 4096;

/// The lines of a kernel's VMCOREINFO, of which the first counts where a name comes twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vmcoreinfo {
    lines: BTreeMap<String, String>,
    cut_off: bool,
}

impl Vmcoreinfo {
    /// Reads the text of the note.
    ///
    /// A kernel cuts the text off where its room ends. A line of which the end may be missing is
    /// left out, because half a number is a number as well. Lines without `=` are left out too.
    pub fn parse(text: &[u8]) -> Self {
        let (text, cut_off) = whole_lines(text);
        let mut lines = BTreeMap::new();
        for line in text.split(|byte| *byte == b'\n') {
            let Ok(line) = std::str::from_utf8(line) else {
                continue;
            };
            if let Some((name, value)) = line.split_once('=') {
                lines
                    .entry(name.to_owned())
                    .or_insert_with(|| value.to_owned());
            }
        }
        Self { lines, cut_off }
    }

    /// Whether the kernel had no room for all lines.
    pub fn is_cut_off(&self) -> bool {
        self.cut_off
    }

    /// The value of a line such as `OSRELEASE`.
    pub fn text(&self, name: &str) -> Result<&str, VmcoreinfoError> {
        match self.lines.get(name) {
            Some(value) => Ok(value),
            None => Err(VmcoreinfoError::Missing {
                name: name.to_owned(),
                cut_off: self.cut_off,
            }),
        }
    }

    /// The kernel's release, as `uname -r` prints it.
    pub fn release(&self) -> Result<&str, VmcoreinfoError> {
        self.text("OSRELEASE")
    }

    /// The kernel's build ID in hexadecimal, as `file vmlinux` prints it.
    pub fn build_id(&self) -> Result<&str, VmcoreinfoError> {
        self.text("BUILD-ID")
    }

    /// The number of bits of an offset into a page: 12 to 16.
    pub fn page_shift(&self) -> Result<u32, VmcoreinfoError> {
        let size: u64 = self.parsed("PAGESIZE", |text| text.parse().ok())?;
        match size {
            4096 | 16384 | 65536 => Ok(size.trailing_zeros()),
            _ => Err(VmcoreinfoError::PageSize(size)),
        }
    }

    /// By how much the kernel runs above the addresses that it was linked to.
    pub fn kernel_offset(&self) -> Result<u64, VmcoreinfoError> {
        self.parsed("KERNELOFFSET", hexadecimal)
    }

    /// When the kernel crashed, in seconds since 1970.
    pub fn crash_time(&self) -> Result<u64, VmcoreinfoError> {
        self.parsed("CRASHTIME", |text| text.parse().ok())
    }

    /// The virtual address of a symbol.
    pub fn symbol(&self, name: &str) -> Result<u64, VmcoreinfoError> {
        self.parsed(&format!("SYMBOL({name})"), hexadecimal)
    }

    /// The length of a structure in bytes, at least 1.
    pub fn size(&self, name: &str) -> Result<usize, VmcoreinfoError> {
        self.parsed(&format!("SIZE({name})"), |text| {
            text.parse().ok().filter(|size| *size > 0)
        })
    }

    /// The offset in bytes of a structure's member.
    pub fn offset(&self, name: &str) -> Result<usize, VmcoreinfoError> {
        self.parsed(&format!("OFFSET({name})"), |text| text.parse().ok())
    }

    /// The number of elements of an array.
    pub fn length(&self, name: &str) -> Result<u64, VmcoreinfoError> {
        self.parsed(&format!("LENGTH({name})"), |text| text.parse().ok())
    }

    /// A number, which kernels print in decimal or, after `0x`, in hexadecimal.
    pub fn number(&self, name: &str) -> Result<i64, VmcoreinfoError> {
        self.parsed(&format!("NUMBER({name})"), |text| {
            match text.strip_prefix("0x") {
                Some(digits) => hexadecimal(digits).map(|number| number as i64),
                None => text.parse().ok(),
            }
        })
    }

    /// A number that is an address or a size, so that its highest bit is no sign.
    pub fn unsigned_number(&self, name: &str) -> Result<u64, VmcoreinfoError> {
        self.number(name).map(|number| number as u64)
    }

    /// The number of a bit in a word of 64.
    pub fn bit(&self, name: &str) -> Result<u64, VmcoreinfoError> {
        self.parsed(&format!("NUMBER({name})"), |text| {
            text.parse().ok().and_then(|bit| 1_u64.checked_shl(bit))
        })
    }

    /// The value of a line after `parse`, which returns nothing for what is malformed.
    fn parsed<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, VmcoreinfoError> {
        let value = self.text(name)?;
        parse(value).ok_or_else(|| VmcoreinfoError::Malformed {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// A line that a kernel may lack: nothing instead of the error that it is missing.
pub fn optional<T>(line: Result<T, VmcoreinfoError>) -> Result<Option<T>, VmcoreinfoError> {
    match line {
        Ok(value) => Ok(Some(value)),
        Err(VmcoreinfoError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

/// The part of the text whose lines are whole, and whether anything is missing.
///
/// The kernel fills its room to the last byte when it cuts. Whoever adds the time of the crash then
/// ends the line before it, so that it looks whole.
fn whole_lines(text: &[u8]) -> (&[u8], bool) {
    let text = match text.iter().rposition(|byte| *byte != 0) {
        Some(last) => &text[..=last],
        None => return (&[], false),
    };
    let time = text
        .strip_suffix(b"\n")
        .and_then(|text| text.rsplit(|byte| *byte == b'\n').next())
        .filter(|line| line.starts_with(b"CRASHTIME="));
    let own = text.len() - time.map_or(0, |line| line.len() + 1);
    let cut = match own % ROOM {
        // The line's end was added, or is missing.
        1 if own > ROOM && time.is_some() => true,
        _ => !text.ends_with(b"\n"),
    };
    if cut {
        let last = &text[..own];
        let last = last.strip_suffix(b"\n").unwrap_or(last);
        let end = last
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |newline| newline + 1);
        (&text[..end], true)
    } else {
        (text, own % ROOM == 0)
    }
}

/// Why VMCOREINFO does not say what is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VmcoreinfoError {
    /// There is no such line.
    Missing {
        /// What stands before the line's `=`.
        name: String,
        /// Whether the kernel had no room for all lines.
        cut_off: bool,
    },
    /// The line is none of its kind.
    Malformed {
        /// What stands before the line's `=`.
        name: String,
        /// What stands after it.
        value: String,
    },
    /// Pages have a size that neither x86_64 nor arm64 knows.
    PageSize(u64),
}

impl fmt::Display for VmcoreinfoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing {
                name,
                cut_off: false,
            } => write!(f, "the kernel's VMCOREINFO has no line {name}="),
            Self::Missing {
                name,
                cut_off: true,
            } => write!(
                f,
                "the kernel's VMCOREINFO has no line {name}=: it was longer than the kernel's room \
                 for it, and its end is missing"
            ),
            Self::Malformed { name, value } => write!(
                f,
                "the line {name}={value} of the kernel's VMCOREINFO has no value of its kind"
            ),
            Self::PageSize(size) => write!(
                f,
                "the kernel's VMCOREINFO has pages of {size} bytes, which have 4096, 16384 or 65536"
            ),
        }
    }
}

impl std::error::Error for VmcoreinfoError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str = "OSRELEASE=6.12.117\nPAGESIZE=16384\nSYMBOL(prb)=ffffffff8944fae8\n\
                        SIZE(page)=64\nOFFSET(page.lru)=8\nLENGTH(zone.free_area)=11\n\
                        NUMBER(PG_lru)=5\nNUMBER(sme_mask)=-9223372036854775808\n\
                        NUMBER(PHYS_OFFSET)=0x40000000\nNUMBER(kimage_voffset)=0xffff998103200000\n\
                        KERNELOFFSET=7c00000\nSIZE(odd)=0\nNUMBER(PG_odd)=64\nNUMBER(none)=\n";

    fn with_time(mut text: String) -> String {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text + "CRASHTIME=1795799162\n"
    }

    #[test]
    fn lines_have_types() {
        let info = Vmcoreinfo::parse(with_time(TEXT.into()).as_bytes());
        assert_eq!(info.release(), Ok("6.12.117"));
        assert_eq!(info.page_shift(), Ok(14));
        assert_eq!(info.symbol("prb"), Ok(0xffff_ffff_8944_fae8));
        assert_eq!(info.size("page"), Ok(64));
        assert_eq!(info.offset("page.lru"), Ok(8));
        assert_eq!(info.length("zone.free_area"), Ok(11));
        assert_eq!(info.bit("PG_lru"), Ok(32));
        assert_eq!(info.unsigned_number("sme_mask"), Ok(1 << 63));
        assert_eq!(info.number("PHYS_OFFSET"), Ok(0x4000_0000));
        assert_eq!(
            info.unsigned_number("kimage_voffset"),
            Ok(0xffff_9981_0320_0000)
        );
        assert_eq!(info.kernel_offset(), Ok(0x7c0_0000));
        assert_eq!(info.crash_time(), Ok(1_795_799_162));
        assert!(!info.is_cut_off());
    }

    #[test]
    fn what_is_wrong_is_said() {
        let info = Vmcoreinfo::parse(TEXT.as_bytes());
        let sentence = |error: VmcoreinfoError| error.to_string();
        assert_eq!(
            info.build_id().map_err(sentence),
            Err("the kernel's VMCOREINFO has no line BUILD-ID=".into())
        );
        assert_eq!(optional(info.symbol("vmemmap")), Ok(None));
        assert_eq!(
            info.size("odd").map_err(sentence),
            Err("the line SIZE(odd)=0 of the kernel's VMCOREINFO has no value of its kind".into())
        );
        for malformed in [
            info.bit("PG_odd").map(|_| ()),
            optional(info.number("none")).map(|_| ()),
        ] {
            assert!(matches!(malformed, Err(VmcoreinfoError::Malformed { .. })));
        }
        assert_eq!(
            Vmcoreinfo::parse(b"PAGESIZE=8192\n").page_shift(),
            Err(VmcoreinfoError::PageSize(8192))
        );
    }

    proptest! {
        /// Wherever a kernel's room ends, every line that is there is one that the kernel wrote.
        #[test]
        fn half_a_line_is_none(filler in 0_usize..4096, timed in any::<bool>()) {
            let line = format!("A={}\n", "x".repeat(filler));
            let mut text = line + TEXT;
            let whole = Vmcoreinfo::parse(text.as_bytes());
            let is_cut = text.len() > ROOM;
            text.truncate(ROOM);
            let text = if timed { with_time(text) } else { text };
            let cut = Vmcoreinfo::parse(text.as_bytes());
            for (name, value) in &cut.lines {
                prop_assert!(name == "CRASHTIME" || whole.lines.get(name) == Some(value));
            }
            prop_assert!(!is_cut || cut.is_cut_off());
            prop_assert!(is_cut || cut.lines.len() >= whole.lines.len());
        }

        #[test]
        fn any_text_is_read(text in prop::collection::vec(any::<u8>(), 0..200)) {
            let info = Vmcoreinfo::parse(&text);
            prop_assert!(info.lines.len() <= text.len());
        }
    }
}
