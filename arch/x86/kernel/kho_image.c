// SPDX-License-Identifier: GPL-2.0-only
/* What the boot parameters in a kexec image say: Documentation/arch/x86/boot.rst. */
#include <linux/efi.h>
#include <linux/init.h>
#include <linux/kexec.h>
#include <linux/kho_image.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/bootparam.h>
#include <asm/e820/types.h>
#include <asm/setup.h>

#define HDRS		0x53726448	/* "HdrS" */
/* Without five levels of page tables, nothing from here on can be mapped. */
#define REACH_4LEVEL	BIT_ULL(46)
/* No loader adds more of these. */
#define MAX_SETUP_DATA	64

void kho_arch_look(struct kho_image *seen, const void *text, size_t size)
{
	const struct boot_params *params = text;
	u64 phys;

	if (size < sizeof(*params) || params->hdr.header != HDRS)
		return;
	phys = params->hdr.cmd_line_ptr | (u64)params->ext_cmd_line_ptr << 32;

	char *line __free(kfree) = kmalloc(COMMAND_LINE_SIZE, GFP_KERNEL);
	if (!line) {
		seen->wrong = "there is no memory to look at it";
		return;
	}
	kho_image_line(seen, line,
		       kho_image_text(seen->image, phys, line, COMMAND_LINE_SIZE));
	if (!(params->hdr.xloadflags & XLF_5LEVEL))
		seen->reach = REACH_4LEVEL;
	seen->initrd = params->hdr.ramdisk_image | (u64)params->ext_ramdisk_image << 32;
	if (!seen->map)
		seen->map = text;
}

static int kho_image_is_no5lvl(const char *param, char *val, void *data)
{
	return parameq(param, "no5lvl");
}

static int kho_image_debugs_pages(const char *param, char *val, void *data)
{
	bool on;

	return parameq(param, "debug_pagealloc") && val && !kstrtobool(val, &on) && on;
}

void kho_arch_look_line(struct kho_image *seen)
{
	if (kho_line_each(seen->line, kho_image_is_no5lvl, NULL))
		seen->reach = REACH_4LEVEL;
	if (kho_line_has(seen->line, "mem_encrypt", "on"))
		seen->wrong = "mem_encrypt=on: with encryption it cannot read this memory";
	seen->base_pages = kho_line_each(seen->line, kho_image_debugs_pages, NULL);
}

/* How much of a range the RAM entries cover. */
static u64 kho_image_ram_in(const struct boot_e820_entry *entry, u64 nr, u64 base, u64 size)
{
	u64 found = 0;

	for (u64 i = 0; i < nr; i++) {
		u64 start = max(entry[i].addr, base);
		u64 end = min(entry[i].addr + entry[i].size, base + size);

		if (entry[i].type == E820_TYPE_RAM && start < end)
			found += end - start;
	}
	return found;
}

/* The same for entries that did not fit into the boot parameters. */
static u64 kho_image_more_ram_in(const struct kho_image *seen, u64 base, u64 size)
{
	const struct boot_params *params = seen->map;
	u64 phys = params->hdr.setup_data, found = 0;
	struct setup_data data;

	for (int n = 0; phys && n < MAX_SETUP_DATA; n++, phys = data.next) {
		if (!kho_image_read(seen->image, phys, &data, sizeof(data)))
			break;
		if (data.type != SETUP_E820_EXT)
			continue;
		for (u64 i = 0; i < data.len / sizeof(struct boot_e820_entry); i++) {
			struct boot_e820_entry entry;

			if (!kho_image_read(seen->image,
					    phys + sizeof(data) + i * sizeof(entry),
					    &entry, sizeof(entry)))
				break;
			found += kho_image_ram_in(&entry, 1, base, size);
		}
	}
	return found;
}

struct range_seen {
	u64 base, end;
	bool hidden, exact, shown;
};

/* One element of memmap=, see parse_memmap_one() */
static void kho_image_memmap_one(struct range_seen *r, char *p)
{
	u64 size, start;
	char *end, kind;

	if (!strncmp(p, "exactmap", 8)) {
		r->exact = true;
		r->shown = false;
		return;
	}
	size = memparse(p, &end);
	if (end == p)
		return;
	kind = *end;
	if (!kind) {
		/* Only a limit */
		r->hidden |= size < r->end;
		return;
	}
	start = memparse(end + 1, &end);
	if (kind == '@')
		r->shown |= start <= r->base && start + size >= r->end;
	else
		r->hidden |= start < r->end && start + size > r->base;
}

static int kho_image_memory_option(const char *param, char *val, void *data)
{
	struct range_seen *r = data;
	u64 limit;

	if (!val)
		return 0;
	if (parameq(param, "mem")) {
		limit = memparse(val, NULL);
		r->hidden |= limit && limit < r->end;
	} else if (parameq(param, "memmap")) {
		char *one;

		while ((one = strsep(&val, ",")))
			kho_image_memmap_one(r, one);
	}
	return 0;
}

/* memmap= can add memory that no loader knows of. */
static bool kho_image_line_adds(const struct kho_image *seen, u64 base, u64 size)
{
	struct range_seen r = { .base = base, .end = base + size };

	return !kho_line_each(seen->line, kho_image_memory_option, &r) && r.shown;
}

bool kho_arch_map_has(const struct kho_image *seen, u64 base, u64 size)
{
	const struct boot_params *params = seen->map;
	u64 found;

	if (!params)
		return true;
	found = kho_image_ram_in(params->e820_table,
				 min_t(u64, params->e820_entries, E820_MAX_ENTRIES_ZEROPAGE),
				 base, size);
	return found == size || found + kho_image_more_ram_in(seen, base, size) == size ||
	       kho_image_line_adds(seen, base, size);
}

bool kho_arch_line_hides(const struct kho_image *seen, u64 base, u64 size)
{
	struct range_seen r = { .base = base, .end = base + size };

	return kho_line_each(seen->line, kho_image_memory_option, &r) || r.hidden ||
	       (r.exact && !r.shown);
}

bool __init kho_arch_secure_boot(void)
{
	/* Distributions add this option; setup_arch() acts on it only later. */
	return IS_ENABLED(CONFIG_LOCK_DOWN_IN_EFI_SECURE_BOOT) &&
	       boot_params.secure_boot == efi_secureboot_mode_enabled;
}
