// SPDX-License-Identifier: GPL-2.0

//! The parameters of a capture kernel's command line that change how much memory it needs.
//!
//! The sources are kernel/smp.c (`nr_cpus=`, `maxcpus=`, `nosmp`), init/do_mounts.c and fs/namespace.c
//! (what the root file system is), init/initramfs.c (`retain_initrd`), kernel/printk/printk.c
//! (`log_buf_len=`) and kernel/dma/contiguous.c (`cma=`), of 6.12 and 7.3.

use crate::{
    crashkernel::size,
    types::parameters::settings, //
};

/// How much of the memory the files of the initrd may fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootLimit {
    /// This percentage of the memory: a tmpfs.
    Percent(u64),
    /// This number of bytes: a tmpfs of that size.
    Bytes(u64),
    /// All of it: a ramfs, which a kernel has that is told of another root file system.
    None,
}

impl RootLimit {
    /// A tmpfs' limit where nobody asks for another one.
    const USUAL: Self = Self::Percent(50);
}

/// What a command line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootOptions {
    /// The CPUs that the kernel keeps memory for.
    pub possible_cpus: u64,
    /// The CPUs that it starts.
    pub started_cpus: u64,
    /// The limit of the root file system.
    pub root_limit: RootLimit,
    /// Whether the packed initrd stays in memory.
    pub keeps_initrd: bool,
    /// The log's length, if it is not the kernel's own choice.
    pub log_len: u64,
    /// Memory that is set aside for devices, and that a tmpfs' limit is not counted from.
    pub cma_len: u64,
}

impl BootOptions {
    /// Reads a command line for a machine with `cpus` CPUs.
    ///
    /// ```
    /// use kexec_core::estimate::{BootOptions, RootLimit};
    ///
    /// let options = BootOptions::read(b"nr_cpus=1 initramfs_options=size=80%", 16);
    /// assert_eq!((options.possible_cpus, options.started_cpus), (1, 1));
    /// assert_eq!(options.root_limit, RootLimit::Percent(80));
    /// ```
    pub fn read(command_line: &[u8], cpus: u64) -> Self {
        let mut options = Self {
            possible_cpus: cpus,
            started_cpus: cpus,
            root_limit: RootLimit::USUAL,
            keeps_initrd: false,
            log_len: 0,
            cma_len: 0,
        };
        let (mut has_root, mut root_types, mut limit) = (false, None, None);
        for (name, value) in settings(command_line) {
            match name {
                b"nr_cpus" => {
                    let wanted = size(value).filter(|wanted| *wanted > 0);
                    options.possible_cpus = wanted.unwrap_or(cpus).min(cpus);
                }
                b"maxcpus" => options.started_cpus = size(value).unwrap_or(cpus),
                b"nosmp" => options.started_cpus = 1,
                b"root" => has_root = !value.is_empty(),
                b"rootfstype" => root_types = Some(value),
                b"initramfs_options" => limit = root_limit(value).or(limit),
                b"retain_initrd" | b"keepinitrd" => options.keeps_initrd = true,
                // An address may follow.
                b"cma" => {
                    let len = value.split(|byte| *byte == b'@').next();
                    options.cma_len = len.and_then(size).unwrap_or(options.cma_len);
                }
                b"log_buf_len" => options.log_len = size(value).unwrap_or(options.log_len),
                _ => {}
            }
        }
        // `maxcpus=0` leaves the CPU that boots.
        options.started_cpus = options.started_cpus.clamp(1, options.possible_cpus.max(1));
        let is_tmpfs = match root_types {
            Some(types) => types.windows(TMPFS.len()).any(|part| part == TMPFS),
            None => !has_root,
        };
        options.root_limit = match limit {
            _ if !is_tmpfs => RootLimit::None,
            Some(limit) => limit,
            None => RootLimit::USUAL,
        };
        options
    }

    /// The same for a kernel that does not know `initramfs_options=`. 6.12.117 and 7.3.4 know it.
    pub fn without_initramfs_options(mut self) -> Self {
        if self.root_limit != RootLimit::None {
            self.root_limit = RootLimit::USUAL;
        }
        self
    }
}

const TMPFS: &[u8] = b"tmpfs";

/// The size that `initramfs_options=` gives a tmpfs.
fn root_limit(options: &[u8]) -> Option<RootLimit> {
    let mut values = options
        .split(|byte| *byte == b',')
        .filter_map(|option| option.strip_prefix(b"size="));
    let value = values.next_back()?;
    Some(match value.strip_suffix(b"%") {
        Some(percent) => RootLimit::Percent(size(percent)?),
        None => RootLimit::Bytes(size(value)?),
    })
}
