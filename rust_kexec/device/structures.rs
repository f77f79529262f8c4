// SPDX-License-Identifier: GPL-2.0

//! Structures and sentences on their way from and to the caller.

use crate::{
    compat::{
        prelude::*,
        transmute::{
            AsBytes,
            FromBytes, //
        },
        uaccess::{
            UserPtr,
            UserSlice, //
        }, //
    },
    refusal::{
        errno,
        Refusal,
        Sentence, //
    },
    sys::{
        rate_limit,
        user_structure, //
    }, //
};
use kexec_core::uapi::{
    LoadRequest,
    Message,
    ReserveRequest,
    Status,
    Structure,
    StructureError,
    UnloadRequest, //
};

/// A structure of the interface as it crosses the border to user space.
#[repr(transparent)]
pub(super) struct Crossing<T>(pub(super) T);

// SAFETY: The structure consists of integers without padding (asserted beside its definition).
unsafe impl FromBytes for Crossing<LoadRequest> {}
// SAFETY: As above.
unsafe impl FromBytes for Crossing<UnloadRequest> {}
// SAFETY: As above.
unsafe impl FromBytes for Crossing<ReserveRequest> {}
// SAFETY: As above.
unsafe impl AsBytes for Crossing<Status> {}

pub(super) fn user_slice(address: usize, len: usize) -> UserSlice {
    UserSlice::new(UserPtr::from_addr(address), len)
}

/// Reads how long a caller's structure is.
pub(super) fn read_len<T: Structure>(address: usize) -> Result<u32> {
    let len = user_slice(address, size_of::<u32>()).reader().read()?;
    // A sentence has no place to go to yet.
    T::check_len(len).map_err(|error| errno(error.errno()))?;
    Ok(len)
}

/// Reads a caller's structure: what is known of it, and whether that is all of it.
pub(super) fn read<T: Structure>(address: usize) -> Result<(T, Result<(), Refusal>)>
where
    Crossing<T>: FromBytes,
{
    let found = read_len::<T>(address)?;
    let (Crossing(request), is_known) = user_structure::read(address, found as usize)?;
    let known = size_of::<T>();
    match is_known {
        true => Ok((request, Ok(()))),
        false => Ok((
            request,
            Err(StructureError::Unknown { found, known }.into()),
        )),
    }
}

/// Sends a refusal's sentence to the caller and to the log, and returns its errno.
// Out of line for the stack: the sentence.
#[inline(never)]
pub(super) fn answer(message: &Message, outcome: Result<(), Refusal>) -> Result {
    let Err(refusal) = outcome else {
        return Ok(());
    };
    let sentence = Sentence::of(&refusal);
    if rate_limit::may_log() {
        pr_warn!("refused: {}\n", sentence.as_str());
    }
    let text = sentence.as_bytes();
    let len = text.len().min(message.capacity as usize);
    if len > 0 {
        let text = text.get(..len).unwrap_or_default();
        user_slice(message.address as usize, len)
            .writer()
            .write_slice(text)?;
    }
    if message.used != 0 {
        let used = (len as u64).to_ne_bytes();
        user_slice(message.used as usize, used.len())
            .writer()
            .write_slice(&used)?;
    }
    Err(refusal.errno())
}
