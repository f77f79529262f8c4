// SPDX-License-Identifier: GPL-2.0

//! Where the parts of the log's structures are, by VMCOREINFO.

use crate::vmcoreinfo::{
    optional,
    Vmcoreinfo, //
};

use super::error::LogError;

/// The longest structure that is believed; the kernel's are below 200 bytes.
const LEN_MAX: usize = 4096;

/// Offsets and lengths. All offsets are inside their structure.
pub struct Layout {
    /// The address of the pointer to the ring.
    pub prb: u64,
    /// Length of `struct printk_ringbuffer`, and offsets in it.
    pub ring_len: usize,
    pub count_bits: usize,
    pub descriptors: usize,
    pub infos: usize,
    pub head_id: usize,
    pub tail_id: usize,
    pub size_bits: usize,
    pub text: usize,
    /// Length of `struct prb_desc`, and offsets in it.
    pub descriptor_len: usize,
    pub state: usize,
    pub begin: usize,
    pub next: usize,
    /// Length of `struct printk_info`, and offsets in it.
    pub info_len: usize,
    pub nanoseconds: usize,
    pub record_len: usize,
    pub caller: Option<usize>,
}

impl Layout {
    /// The layout of a kernel's log.
    pub fn of(vmcoreinfo: &Vmcoreinfo) -> Result<Self, LogError> {
        let facts = Facts(vmcoreinfo);
        let ring_len = facts.size("printk_ringbuffer")?;
        let descriptor_len = facts.size("prb_desc")?;
        let info_len = facts.size("printk_info")?;
        let counter = "atomic_long_t.counter";
        let ids = "printk_ringbuffer.desc_ring";
        let texts = "printk_ringbuffer.text_data_ring";
        let place = "prb_desc.text_blk_lpos";
        Ok(Self {
            prb: vmcoreinfo.symbol("prb")?,
            count_bits: facts.inside(ring_len, 4, &[ids, "prb_desc_ring.count_bits"])?,
            descriptors: facts.inside(ring_len, 8, &[ids, "prb_desc_ring.descs"])?,
            infos: facts.inside(ring_len, 8, &[ids, "prb_desc_ring.infos"])?,
            head_id: facts.inside(ring_len, 8, &[ids, "prb_desc_ring.head_id", counter])?,
            tail_id: facts.inside(ring_len, 8, &[ids, "prb_desc_ring.tail_id", counter])?,
            size_bits: facts.inside(ring_len, 4, &[texts, "prb_data_ring.size_bits"])?,
            text: facts.inside(ring_len, 8, &[texts, "prb_data_ring.data"])?,
            state: facts.inside(descriptor_len, 8, &["prb_desc.state_var", counter])?,
            begin: facts.inside(descriptor_len, 8, &[place, "prb_data_blk_lpos.begin"])?,
            next: facts.inside(descriptor_len, 8, &[place, "prb_data_blk_lpos.next"])?,
            nanoseconds: facts.inside(info_len, 8, &["printk_info.ts_nsec"])?,
            record_len: facts.inside(info_len, 2, &["printk_info.text_len"])?,
            // Since 6.6.
            caller: match optional(vmcoreinfo.offset("printk_info.caller_id"))? {
                Some(_) => Some(facts.inside(info_len, 4, &["printk_info.caller_id"])?),
                None => None,
            },
            ring_len,
            descriptor_len,
            info_len,
        })
    }

    /// A number in the ring's own structure.
    pub fn ring_u32(&self, ring: &[u8], offset: usize) -> u32 {
        self.u32(ring, offset)
    }

    /// A number in the ring's own structure.
    pub fn ring_u64(&self, ring: &[u8], offset: usize) -> u64 {
        self.u64(ring, offset)
    }

    /// The number at one of the offsets, in the structure that it is for.
    pub fn u16(&self, bytes: &[u8], offset: usize) -> u16 {
        u16::from_le_bytes(array(bytes, offset))
    }

    /// The number at one of the offsets, in the structure that it is for.
    pub fn u32(&self, bytes: &[u8], offset: usize) -> u32 {
        u32::from_le_bytes(array(bytes, offset))
    }

    /// The number at one of the offsets, in the structure that it is for.
    pub fn u64(&self, bytes: &[u8], offset: usize) -> u64 {
        u64::from_le_bytes(array(bytes, offset))
    }
}

/// The lines of VMCOREINFO, as lengths and offsets that can be used without further checks.
pub struct Facts<'a>(pub &'a Vmcoreinfo);

impl Facts<'_> {
    /// The length of a structure.
    pub fn size(&self, name: &str) -> Result<usize, LogError> {
        match self.0.size(name)? {
            len @ ..=LEN_MAX => Ok(len),
            _ => Err(LogError::Layout(format!("SIZE({name})"))),
        }
    }

    /// The offset of a member of a member, with `width` bytes that are inside a structure of `len`.
    pub fn inside(&self, len: usize, width: usize, names: &[&str]) -> Result<usize, LogError> {
        let mut offset = 0_usize;
        for name in names {
            offset = offset.saturating_add(self.0.offset(name)?);
            if offset.saturating_add(width) > len {
                return Err(LogError::Layout(format!("OFFSET({name})")));
            }
        }
        Ok(offset)
    }
}

/// Bytes that [`Facts::inside`] has found to be there.
pub fn array<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[offset..offset + N]);
    array
}
