// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the Image and the device tree in a kexec image say:
 * Documentation/arch/arm64/booting.rst.
 */
#include <linux/cpufeature.h>
#include <linux/efi.h>
#include <linux/init.h>
#include <linux/kexec.h>
#include <linux/kho_image.h>
#include <linux/libfdt.h>
#include <linux/memblock.h>
#include <linux/of.h>
#include <linux/of_fdt.h>
#include <linux/string.h>

#include <asm/image.h>

/* As encoded in the header's flags */
#define OWN_PAGES	(PAGE_SHIFT == 12 ? ARM64_IMAGE_FLAG_PAGE_SIZE_4K : \
			 PAGE_SHIFT == 14 ? ARM64_IMAGE_FLAG_PAGE_SIZE_16K : \
			 ARM64_IMAGE_FLAG_PAGE_SIZE_64K)

static void kho_image_look_at_kernel(struct kho_image *seen, const struct arm64_image_header *h)
{
	u64 flags = le64_to_cpu(h->flags);
	u64 pages = arm64_image_flag_field(flags, ARM64_IMAGE_FLAG_PAGE_SIZE);

	if (arm64_image_flag_field(flags, ARM64_IMAGE_FLAG_BE) != ARM64_IMAGE_FLAG_LE)
		seen->wrong = "its kernel is big-endian";
	/* 0 means unspecified; KHO is newer than the field. */
	if (pages != OWN_PAGES)
		seen->wrong = "its kernel has another page size than KHO's tree";
}

/* A number of one or two cells in /chosen, or 0 */
static u64 kho_image_chosen(const void *fdt, int chosen, const char *name)
{
	int len;
	const __be32 *cell = fdt_getprop(fdt, chosen, name, &len);

	if (!cell || (len != sizeof(*cell) && len != 2 * sizeof(*cell)))
		return 0;
	return of_read_number(cell, len / sizeof(*cell));
}

void kho_arch_look(struct kho_image *seen, const void *text, size_t size)
{
	const struct arm64_image_header *h = text;
	const char *line;
	int len;

	if (size >= sizeof(*h) && !memcmp(&h->magic, ARM64_IMAGE_MAGIC, sizeof(h->magic))) {
		kho_image_look_at_kernel(seen, h);
	} else if (size >= sizeof(struct fdt_header) && !fdt_check_header(text) &&
		   fdt_totalsize(text) <= size) {
		int chosen = fdt_path_offset(text, "/chosen");

		line = chosen < 0 ? NULL : fdt_getprop(text, chosen, "bootargs", &len);
		kho_image_line(seen, line ?: "", line ? len : 0);
		if (chosen >= 0)
			seen->initrd = kho_image_chosen(text, chosen, "linux,initrd-start");
	}
}

static int kho_image_keeps_blocks(const char *param, char *val, void *data)
{
	bool *blocks = data, on;

	if (parameq(param, "rodata") && val)
		*blocks = !strcmp(val, "noalias") || !strcmp(val, "off");
	return parameq(param, "debug_pagealloc") && val && !kstrtobool(val, &on) && on;
}

/* The same rule as in force_pte_mapping() */
void kho_arch_look_line(struct kho_image *seen)
{
	bool blocks = false;
	bool debug = kho_line_each(seen->line, kho_image_keeps_blocks, &blocks);

	seen->base_pages = debug || !(blocks || system_supports_bbml3());
}

struct limit {
	u64 end;
	bool hidden;
};

static int kho_image_mem_option(const char *param, char *val, void *data)
{
	struct limit *limit = data;

	if (parameq(param, "mem") && val)
		limit->hidden |= memparse(val, NULL) < limit->end;
	return 0;
}

bool kho_arch_line_hides(const struct kho_image *seen, u64 base, u64 size)
{
	/*
	 * mem= says how much memory to keep; everything above is cut off.  Holes count as
	 * memory here, so more may seem to be hidden than really is.
	 */
	u64 start = memblock_start_of_DRAM();
	struct limit limit = { .end = base + size - min(start, base) };

	return kho_line_each(seen->line, kho_image_mem_option, &limit) || limit.hidden;
}

bool __init kho_arch_secure_boot(void)
{
	const __be32 *mode;
	int chosen, len;

	if (!IS_ENABLED(CONFIG_LOCK_DOWN_IN_EFI_SECURE_BOOT))
		return false;
	chosen = fdt_path_offset(initial_boot_params, "/chosen");
	mode = chosen < 0 ? NULL :
	       fdt_getprop(initial_boot_params, chosen, "linux,uefi-secure-boot", &len);
	return mode && len == sizeof(*mode) && be32_to_cpup(mode) == efi_secureboot_mode_enabled;
}
