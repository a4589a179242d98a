// SPDX-License-Identifier: GPL-2.0-only
/* A bzImage by its 64-bit entry: Documentation/arch/x86/boot.rst. */
#include <asm/bootparam.h>
#include <dirent.h>

#include "load.h"

#define PARAMS	4096	/* boot parameters, then the way in, then the command line */
#define WAY_IN	64
#define HDRS	0x53726448

static uint64_t map_value(const char *entry, const char *name, char *text, size_t size)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/firmware/memmap/%s/%s", entry, name);
	f = fopen(path, "r");
	if (!f || !fgets(text, size, f))
		fail(path);
	fclose(f);
	return strtoull(text, NULL, 0);
}

/* Entries that boot parameters have no room for, in setup_data after them */
struct more {
	struct setup_data data;
	struct boot_e820_entry entry[1024];
};

static void entry(struct boot_params *params, struct more *more, uint64_t addr, uint64_t size,
		  int type)
{
	struct boot_e820_entry *e = &params->e820_table[params->e820_entries];

	if (params->e820_entries == E820_MAX_ENTRIES_ZEROPAGE) {
		e = &more->entry[more->data.len / sizeof(*e)];
		more->data.type = SETUP_E820_EXT;
		more->data.len += sizeof(*e);
	} else {
		params->e820_entries++;
	}
	e->addr = addr;
	e->size = size;
	e->type = type;
}

/* As on a machine whose firmware leaves out pages: KHO_POOL_LOAD_HOLES=FIRST,NUMBER */
#define HOLES_APART	(2ULL << 20)

static void memory(struct boot_params *params, struct more *more, uint64_t addr, uint64_t size)
{
	const char *text = getenv("KHO_POOL_LOAD_HOLES");
	uint64_t end = addr + size;
	unsigned long long first;
	int holes = 0;

	if (text && sscanf(text, "%lli,%d", &first, &holes) != 2)
		fail("KHO_POOL_LOAD_HOLES=");
	for (int i = 0; i < holes; i++) {
		uint64_t hole = first + i * HOLES_APART;

		if (hole < addr || hole + 4096 > end)
			continue;
		entry(params, more, addr, hole - addr, 1);
		addr = hole + 4096;
	}
	entry(params, more, addr, end - addr, 1);
}

static void memory_map(struct boot_params *params, struct more *more)
{
	DIR *dir = opendir("/sys/firmware/memmap");
	struct dirent *d;
	char text[64];

	if (!dir)
		fail("/sys/firmware/memmap");
	while ((d = readdir(dir))) {
		uint64_t addr, size;

		if (d->d_name[0] == '.')
			continue;
		addr = map_value(d->d_name, "start", text, sizeof(text));
		size = map_value(d->d_name, "end", text, sizeof(text)) + 1 - addr;
		map_value(d->d_name, "type", text, sizeof(text));
		if (!strncmp(text, "System RAM", 10))
			memory(params, more, addr, size);
		else
			entry(params, more, addr, size, !strncmp(text, "ACPI Tables", 11) ? 3 :
			      !strncmp(text, "ACPI Non", 8) ? 4 : 2);
	}
	closedir(dir);
}

/* Without a kernel or a way into one */
struct blob arch_params(uint64_t at, const char *cmdline)
{
	struct blob blob = { .size = PARAMS + strlen(cmdline) + 1 };
	struct boot_params *params = calloc(1, blob.size);
	struct more more = {};

	memory_map(params, &more);
	params->hdr.header = HDRS;
	params->hdr.xloadflags = XLF_5LEVEL;
	strcpy((char *)params + PARAMS, cmdline);
	params->hdr.cmd_line_ptr = at + PARAMS;
	params->ext_cmd_line_ptr = (at + PARAMS) >> 32;
	blob.data = (uint8_t *)params;
	return blob;
}

void arch_load(struct image *image, const char *kernel, const char *initrd, const char *cmdline)
{
	struct blob bz = read_file(kernel), rd = read_file(initrd);
	size_t line = PARAMS + WAY_IN, more_at = (line + strlen(cmdline) + 8) & ~7ull;
	struct boot_params *params = calloc(1, more_at + sizeof(struct more));
	struct more *more = (void *)params + more_at;
	const struct setup_header *hdr = (void *)(bz.data + 0x1f1);
	size_t setup = (hdr->setup_sects + 1) * 512;
	uint64_t kernel_at, rd_at, at, target;
	uint8_t *way;

	rd_at = add(image, rd.data, rd.size);
	kernel_at = take(image, hdr->init_size, hdr->kernel_alignment);
	segment(image, bz.data + setup, bz.size - setup, kernel_at, hdr->init_size);

	memcpy(&params->hdr, hdr, 0x202 + bz.data[0x201] - 0x1f1);
	memory_map(params, more);
	params->hdr.type_of_loader = 0xff;
	params->hdr.ramdisk_image = rd_at;
	params->ext_ramdisk_image = rd_at >> 32;
	params->hdr.ramdisk_size = rd.size;
	params->ext_ramdisk_size = (uint64_t)rd.size >> 32;
	strcpy((char *)params + line, cmdline);
	at = add(image, params, more_at + sizeof(*more));
	if (more->data.len)
		params->hdr.setup_data = at + more_at;
	params->hdr.cmd_line_ptr = at + line;
	params->ext_cmd_line_ptr = (at + line) >> 32;

	/* mov $params, %rsi; mov $startup_64, %rax; jmp *%rax */
	way = (uint8_t *)params + PARAMS;
	target = kernel_at + 0x200;
	memcpy(way, "\x48\xbe", 2);
	memcpy(way + 2, &at, 8);
	memcpy(way + 10, "\x48\xb8", 2);
	memcpy(way + 12, &target, 8);
	memcpy(way + 20, "\xff\xe0", 2);
	image->entry = at + PARAMS;
}
