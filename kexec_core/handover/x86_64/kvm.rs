// SPDX-License-Identifier: GPL-2.0

//! The registers by which a guest lets KVM write to its memory, and the CPUID features that tell of
//! them (the kernel's Documentation/virt/kvm/x86/cpuid.rst and msr.rst).

/// KVM_CPUID_SIGNATURE: the leaf in which a hypervisor names itself. A hypervisor that poses as
/// several has more such leaves, [`LEAF_STEP`] apart.
pub const FIRST_LEAF: u32 = 0x4000_0000;
/// The end of these leaves.
pub const END_LEAF: u32 = 0x4001_0000;
/// The distance between two such leaves.
pub const LEAF_STEP: usize = 0x100;
/// EBX, ECX and EDX of KVM's leaf: "KVMKVMKVM", filled up with zeros.
pub const SIGNATURE: [u32; 3] = [
    u32::from_le_bytes(*b"KVMK"),
    u32::from_le_bytes(*b"VMKV"),
    u32::from_le_bytes(*b"M\0\0\0"),
];

/// The features in EAX of the leaf after KVM's, each with its register.
const REGISTERS: [(u32, u32); 6] = [
    (CLOCKSOURCE, 0x12),              // MSR_KVM_SYSTEM_TIME
    (CLOCKSOURCE2, 0x4b56_4d01),      // MSR_KVM_SYSTEM_TIME_NEW
    (ASYNC_PF, 0x4b56_4d02),          // MSR_KVM_ASYNC_PF_EN
    (STEAL_TIME, 0x4b56_4d03),        // MSR_KVM_STEAL_TIME
    (PV_EOI, 0x4b56_4d04),            // MSR_KVM_PV_EOI_EN
    (MIGRATION_CONTROL, 0x4b56_4d08), // MSR_KVM_MIGRATION_CONTROL
];

const CLOCKSOURCE: u32 = 1 << 0;
const CLOCKSOURCE2: u32 = 1 << 3;
const ASYNC_PF: u32 = 1 << 4;
const STEAL_TIME: u32 = 1 << 5;
const PV_EOI: u32 = 1 << 6;
const MIGRATION_CONTROL: u32 = 1 << 17;

/// The registers that a guest with these features has. KVM stops writing when they are 0.
pub fn registers(features: u32) -> impl Iterator<Item = u32> {
    REGISTERS
        .into_iter()
        .filter(move |(feature, _)| features & feature != 0)
        .map(|(_, register)| register)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    fn found(features: u32) -> Vec<u32> {
        registers(features).collect()
    }

    #[test]
    fn a_register_is_there_with_its_feature_only() {
        assert_eq!(found(0), []);
        assert_eq!(found(CLOCKSOURCE), [0x12]);
        assert_eq!(found(STEAL_TIME | PV_EOI), [0x4b56_4d03, 0x4b56_4d04]);
        // KVM_FEATURE_NOP_IO_DELAY, and the bit that says that the clock is stable.
        assert_eq!(found(1 << 1 | 1 << 24), []);
        assert_eq!(found(u32::MAX).len(), REGISTERS.len());
    }
}
