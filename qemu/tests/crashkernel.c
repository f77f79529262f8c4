// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own parser and reservation of crashkernel=, as a program of the host. The kernel's files
 * are included as they are, from the directory in which the test compiles this. What they call is here, or
 * not needed: the other headers that they include are empty there.
 *
 * A line of input is a number of bytes of memory, ranges of free memory as START-END, a tab, and a command
 * line. A line of output is what was reserved: two ranges, or zeros.
 *
 * The test defines KNOWS_CMA for kernels that take a size for ,cma.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define __init
#define __initdata
#define __user
#define __always_unused __attribute__((unused))
#define EXPORT_SYMBOL(symbol)
#define early_param(name, function) void *parameter_##function = (void *)function
#define early_initcall(function) void *call_##function = (void *)function
#define fallthrough __attribute__((__fallthrough__))
#define BUG_ON(condition) do { if (condition) abort(); } while (0)
#define pr_warn(...) fprintf(stderr, __VA_ARGS__)
#define pr_info(...) fprintf(stderr, __VA_ARGS__)
#define pr_err(...) fprintf(stderr, __VA_ARGS__)
#define likely(condition) (condition)
#define unlikely(condition) (condition)
#define check_sub_overflow(a, b, result) __builtin_sub_overflow(a, b, result)
#define check_shl_overflow(a, shift, result) \
	__builtin_mul_overflow(a, 1ULL << (shift), result)
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define roundup(value, unit) (((value) + (unit) - 1) / (unit) * (unit))
#define SZ_2M (2ULL << 20)
#define SZ_16M (16ULL << 20)
#define SZ_128M (128ULL << 20)
#define SZ_4G (4ULL << 30)
#define SZ_64T (64ULL << 40)
#define PAGE_SIZE 4096ULL
#define PHYS_MASK ((1ULL << 52) - 1)
#define CONFIG_64BIT 1
#define CONFIG_X86_64 1
#define CONFIG_ARCH_HAS_GENERIC_CRASHKERNEL_RESERVATION 1
#define HAVE_ARCH_ADD_CRASH_RES_TO_IOMEM_EARLY 1
#define IORESOURCE_BUSY 0
#define IORESOURCE_SYSTEM_RAM 0
#define IORES_DESC_CRASH_KERNEL 0

typedef unsigned long long phys_addr_t;
typedef unsigned char u8;

struct range {
	unsigned long long start, end;
};

struct resource {
	const char *name;
	unsigned long long start, end;
	int flags, desc;
};

static struct resource iomem_resource;
/* On a machine whose devices reach the first 4 GiB. */
static const unsigned long long arm64_dma_phys_limit = SZ_4G;
static struct range free_memory[64];
static int free_count;

static void insert_resource(struct resource *root, struct resource *new)
{
}

static void kmemleak_ignore_phys(phys_addr_t address)
{
}

static void memblock_phys_free(phys_addr_t base, phys_addr_t size)
{
}

static phys_addr_t memblock_phys_alloc_range(phys_addr_t size, phys_addr_t align, phys_addr_t start,
					     phys_addr_t end)
{
	phys_addr_t first, last;
	int i;

	start = max(start, PAGE_SIZE);
	for (i = free_count - 1; i >= 0; i--) {
		first = max(start, free_memory[i].start);
		last = min(end, free_memory[i].end);
		if (first >= last || last - first < size)
			continue;
		last = (last - size) & ~(align - 1);
		if (last >= first)
			return last;
	}
	return 0;
}

/* The usual size of swiotlb. */
unsigned long swiotlb_size_or_default(void)
{
	return 64UL << 20;
}

static char *skip_spaces(const char *text)
{
	while (isspace(*text))
		text++;
	return (char *)text;
}

static unsigned long long simple_strtoull(const char *text, char **end, unsigned int base)
{
	*end = (char *)text;
	return isdigit(*text) ? strtoull(text, end, base) : 0;
}

static long simple_strtol(const char *text, char **end, unsigned int base)
{
	return strtol(text, end, base);
}

#include <lib/cmdline.c>
#include <linux/crash_reserve.h>
#include <kernel/crash_reserve.c>

int main(void)
{
	static char text[8192];
	unsigned long long ram, size, base, low, cma;
	char *line, *at;
	bool high;
	int ret;

	while (fgets(text, sizeof(text), stdin)) {
		text[strcspn(text, "\n")] = 0;
		line = strchr(text, '\t') + 1;
		ram = strtoull(text, &at, 0);
		for (free_count = 0; *at == ' '; free_count++) {
			free_memory[free_count].start = strtoull(at + 1, &at, 0);
			free_memory[free_count].end = strtoull(at + 1, &at, 0);
		}
		low = cma = 0;
		high = false;
		crashk_res.start = crashk_res.end = crashk_low_res.start = crashk_low_res.end = 0;
#ifdef KNOWS_CMA
		ret = parse_crashkernel(line, ram, &size, &base, &low, &cma, &high);
		if (!ret)
			reserve_crashkernel_generic(size, base, low, high);
#else
		ret = parse_crashkernel(line, ram, &size, &base, &low, &high);
		if (!ret)
			reserve_crashkernel_generic(line, size, base, low, high);
#endif
		if (ret)
			size = base = low = cma = high = 0;
		/* The size of a reservation whose end is inclusive. */
		printf("%d %llu %llu %d %llu %llu %llu %llu %llu\n", ret == 0, size, base, high, cma,
		       crashk_res.start, crashk_res.end ? crashk_res.end - crashk_res.start + 1 : 0,
		       crashk_low_res.start,
		       crashk_low_res.end ? crashk_low_res.end - crashk_low_res.start + 1 : 0);
	}
	return 0;
}
