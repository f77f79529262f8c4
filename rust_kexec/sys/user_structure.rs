// SPDX-License-Identifier: GPL-2.0

//! Structures of user space that are of another version than ours, longer or shorter: as
//! copy_struct_from_user() and copy_struct_to_user() copy them.

use super::bindings;
use crate::compat::{
    prelude::*,
    transmute::{
        AsBytes,
        FromBytes, //
    },
    uaccess::{
        UserPtr,
        UserSlice, //
    }, //
};
use core::{
    mem::MaybeUninit,
    ptr,
    slice, //
};
use kernel::{
    error::to_result,
    ffi::c_void, //
};

/// Reads a structure that has `len` bytes in user space. Fields that it lacks are zero. Says as well
/// whether all bytes that it has beyond ours are zero.
pub(crate) fn read<T: FromBytes>(address: usize, len: usize) -> Result<(T, bool)> {
    let known = len.min(size_of::<T>());
    let mut structure = MaybeUninit::<T>::zeroed();
    // SAFETY: These are the bytes of `structure`, which nobody else uses meanwhile.
    let bytes = unsafe { slice::from_raw_parts_mut(structure.as_mut_ptr().cast(), size_of::<T>()) };
    let place = bytes.get_mut(..known).ok_or(EINVAL)?;
    UserSlice::new(UserPtr::from_addr(address), known)
        .reader()
        .read_raw(place)?;
    // SAFETY: Each byte was zeroed or read, and any bytes are a value of `T`.
    let structure = unsafe { structure.assume_init() };

    let rest = address.wrapping_add(known) as *const c_void;
    // SAFETY: The function checks that it may read there.
    let zero = unsafe { bindings::check_zeroed_user(rest, len - known) };
    to_result(zero.min(0))?;
    Ok((structure, zero > 0))
}

/// Writes a structure that has `len` bytes in user space: as much as it has room for, and zeros to the
/// bytes that it has beyond ours.
pub(crate) fn write<T: AsBytes>(address: usize, len: usize, structure: &T) -> Result {
    // SAFETY: These are the bytes of `structure`, all of which have a value.
    let bytes = unsafe { slice::from_raw_parts(ptr::from_ref(structure).cast(), size_of::<T>()) };
    let known = bytes.get(..len).unwrap_or(bytes);
    let mut writer = UserSlice::new(UserPtr::from_addr(address), len).writer();
    writer.write_slice(known)?;
    while !writer.is_empty() {
        let zeros = [0; 64];
        writer.write_slice(zeros.get(..writer.len()).unwrap_or(&zeros))?;
    }
    Ok(())
}
