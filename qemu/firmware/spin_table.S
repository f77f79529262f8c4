/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Firmware of a machine without PSCI. Every CPU of QEMU's virt machine starts here at EL3, prepares
 * what only EL3 can, and goes on at EL2: the first one in the kernel, the others where the kernel
 * tells them to by their place in the spin table.
 *
 * After the kernel's Documentation/arch/arm64/booting.rst, the Arm Architecture Reference Manual for
 * A-profile, and the Generic Interrupt Controller Architecture Specification, version 2.0.
 */

/* As qemu/harness/machine/spin_table.py lays out the memory. */
#define SPIN_TABLE	0x40100000
#define DEVICE_TREE	0x40110000
#define KERNEL		0x40200000

/* RW: EL2 has 64 bits. HCE: HVC is there. SMD: SMC is not. NS, and bits that are always 1. */
#define SCR_EL3		0x5b1
/* MMU and caches off, little-endian; bits that are always 1. */
#define SCTLR_EL2	0x30c50830
/* EL2 with its own stack pointer, and everything masked. */
#define SPSR_EL3	0x3c9

#define GICD_BASE	0x08000000
#define GICD_TYPER	0x004
#define GICD_IGROUPR	0x080
#define GICC_BASE	0x08010000
#define GICC_PMR	0x004

	.text
	.globl _start
_start:
	mov	x0, #SCR_EL3
	msr	scr_el3, x0
	msr	cptr_el3, xzr
	msr	mdcr_el3, xzr
	ldr	x0, =SCTLR_EL2
	msr	sctlr_el2, x0
	mov	x0, #SPSR_EL3
	msr	spsr_el3, x0

	/* All interrupts are the kernel's: group 1. Of the first register, each CPU has its own. */
	ldr	x0, =GICD_BASE
	ldr	w1, [x0, #GICD_TYPER]
	and	w1, w1, #0x1f
	add	x0, x0, #GICD_IGROUPR
	mov	w2, #-1
1:	str	w2, [x0], #4
	subs	w1, w1, #1
	b.pl	1b
	/* The kernel may set the mask of its half of the priorities. */
	ldr	x0, =GICC_BASE
	mov	w1, #0xff
	str	w1, [x0, #GICC_PMR]

	mrs	x0, mpidr_el1
	and	x0, x0, #0xff
	ldr	x1, =SPIN_TABLE
	ldr	x2, =KERNEL
	cbz	x0, 3f
2:	ldr	x2, [x1, x0, lsl #3]
	cbnz	x2, 3f
	wfe
	b	2b
3:	msr	elr_el3, x2
	ldr	x0, =DEVICE_TREE
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	eret
