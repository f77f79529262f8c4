// SPDX-License-Identifier: GPL-2.0

//! Tests of `kexec_core`, by the properties that the module, the purgatory and rkexec rely on.
//!
//! A sentence in a refusal is part of that, so tests compare sentences as well. Where another
//! implementation of a format exists, the tests compare with it rather than with themselves.
//! The tests have the same rooms as the sources.

mod crashkernel;
mod dump;
mod errors;
mod estimate;
mod fixture;
mod handover;
mod image;
mod no_panics;
mod plan;
mod signature;
mod types;
mod uapi;
