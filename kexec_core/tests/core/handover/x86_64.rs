// SPDX-License-Identifier: GPL-2.0

//! Tests of the handover on x86_64.

mod boot_params;
mod efi;
mod memory_map;
