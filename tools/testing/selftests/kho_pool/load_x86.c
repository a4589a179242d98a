// SPDX-License-Identifier: GPL-2.0-only
/* A bzImage by its 64-bit entry: Documentation/arch/x86/boot.rst. */
#include <asm/bootparam.h>
#include <dirent.h>

#include "load.h"

#define PARAMS	4096	/* boot parameters, then the way in, then the command line */
#define WAY_IN	64

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

static void memory_map(struct boot_params *params)
{
	DIR *dir = opendir("/sys/firmware/memmap");
	struct dirent *d;
	char text[64];

	if (!dir)
		fail("/sys/firmware/memmap");
	while ((d = readdir(dir))) {
		struct boot_e820_entry *e = &params->e820_table[params->e820_entries];

		if (d->d_name[0] == '.')
			continue;
		if (params->e820_entries == E820_MAX_ENTRIES_ZEROPAGE)
			break;
		e->addr = map_value(d->d_name, "start", text, sizeof(text));
		e->size = map_value(d->d_name, "end", text, sizeof(text)) + 1 - e->addr;
		map_value(d->d_name, "type", text, sizeof(text));
		e->type = !strncmp(text, "System RAM", 10) ? 1 :
			  !strncmp(text, "ACPI Tables", 11) ? 3 :
			  !strncmp(text, "ACPI Non", 8) ? 4 : 2;
		params->e820_entries++;
	}
	closedir(dir);
}

void arch_load(struct image *image, const char *kernel, const char *initrd, const char *cmdline)
{
	struct blob bz = read_file(kernel), rd = read_file(initrd);
	struct boot_params *params = calloc(1, PARAMS + WAY_IN + strlen(cmdline) + 1);
	const struct setup_header *hdr = (void *)(bz.data + 0x1f1);
	size_t setup = (hdr->setup_sects + 1) * 512;
	uint64_t kernel_at, rd_at, at, target;
	uint8_t *way;

	rd_at = add(image, rd.data, rd.size);
	kernel_at = take(image, hdr->init_size, hdr->kernel_alignment);
	segment(image, bz.data + setup, bz.size - setup, kernel_at, hdr->init_size);

	memcpy(&params->hdr, hdr, 0x202 + bz.data[0x201] - 0x1f1);
	memory_map(params);
	params->hdr.type_of_loader = 0xff;
	params->hdr.ramdisk_image = rd_at;
	params->ext_ramdisk_image = rd_at >> 32;
	params->hdr.ramdisk_size = rd.size;
	params->ext_ramdisk_size = (uint64_t)rd.size >> 32;
	strcpy((char *)params + PARAMS + WAY_IN, cmdline);
	at = add(image, params, PARAMS + WAY_IN + strlen(cmdline) + 1);
	params->hdr.cmd_line_ptr = at + PARAMS + WAY_IN;
	params->ext_cmd_line_ptr = (at + PARAMS + WAY_IN) >> 32;

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
