// SPDX-License-Identifier: GPL-2.0-only
/* An Image and a device tree: Documentation/arch/arm64/booting.rst. */
#include <libfdt.h>

#include "load.h"

#define IMAGE_ALIGN	(2 << 20)
#define FDT_ROOM	(64 << 10)

static uint64_t le64(const uint8_t *p)
{
	uint64_t value;

	memcpy(&value, p, sizeof(value));
	return value;
}

/* The device tree of this kernel with another command line */
static void *device_tree(const char *cmdline, uint64_t rd_at, size_t rd_size)
{
	struct blob fdt = read_file("/sys/firmware/fdt");
	size_t room = fdt_totalsize(fdt.data) + strlen(cmdline) + FDT_ROOM;
	void *dt = malloc(room);
	int chosen, err;

	err = fdt_open_into(fdt.data, dt, room);
	chosen = err ? err : fdt_path_offset(dt, "/chosen");
	err = chosen < 0 ? chosen : fdt_setprop_string(dt, chosen, "bootargs", cmdline);
	err = err ? err : fdt_setprop_u64(dt, chosen, "linux,initrd-start", rd_at);
	err = err ? err : fdt_setprop_u64(dt, chosen, "linux,initrd-end", rd_at + rd_size);
	if (err) {
		fprintf(stderr, "device tree: %s\n", fdt_strerror(err));
		exit(1);
	}
	fdt_pack(dt);
	return dt;
}

struct blob arch_params(uint64_t at, const char *cmdline)
{
	void *dt = device_tree(cmdline, 0, 0);

	return (struct blob){ dt, fdt_totalsize(dt) };
}

void arch_load(struct image *image, const char *kernel, const char *initrd, const char *cmdline)
{
	struct blob img = read_file(kernel), rd = read_file(initrd);
	uint64_t text_offset = le64(img.data + 8), size = le64(img.data + 16);
	uint64_t kernel_at, rd_at, dt_at;
	static struct {
		uint32_t code[6];
		uint64_t dt, kernel;
	} way = {
		.code = {
			0x580000c0,	/* ldr x0, dt */
			0x580000e4,	/* ldr x4, kernel */
			0xd2800001,	/* mov x1, #0 */
			0xd2800002,	/* mov x2, #0 */
			0xd2800003,	/* mov x3, #0 */
			0xd61f0080,	/* br x4 */
		},
	};
	void *dt;

	rd_at = add(image, rd.data, rd.size);
	kernel_at = take(image, text_offset + size, IMAGE_ALIGN) + text_offset;
	segment(image, img.data, img.size, kernel_at, size);

	dt = device_tree(cmdline, rd_at, rd.size);
	/* The kernel maps it in pieces of 2 MiB. */
	dt_at = take(image, fdt_totalsize(dt), IMAGE_ALIGN);
	segment(image, dt, fdt_totalsize(dt), dt_at, fdt_totalsize(dt));

	way.dt = dt_at;
	way.kernel = kernel_at;
	image->entry = add(image, &way, sizeof(way));
}
