// SPDX-License-Identifier: GPL-2.0-only
/*
 * A loader of our own for kexec_load(2), which places the handover page itself.
 *
 *	kho_pool_load --cold KERNEL INITRD CMDLINE
 *		a kernel that nothing is handed to
 *	kho_pool_load --handover KERNEL INITRD CMDLINE
 *		the last segment is for the kernel to fill
 *	kho_pool_load --tree FILE KERNEL INITRD CMDLINE
 *		the same, but KHO's tree is to be this
 *	kho_pool_load --made-up KERNEL INITRD CMDLINE
 *		the same with a tree that no kernel has made
 *	kho_pool_load --two KERNEL INITRD CMDLINE
 *		a second page, filled as by a kernel, and named before the other one
 *	kho_pool_load --at PHYS SIZE TEXT
 *		one segment there, with this text
 *	kho_pool_load --line PHYS SIZE CMDLINE [OTHER]
 *		the same, but with what tells a kernel its command line; OTHER is told
 *		in a second segment after the first
 *	kho_pool_load --bad
 *		segments that are not fit for the page
 *	kho_pool_load --unsupported
 *		a segment for the page, when KHO is off
 *
 * Those with a page add kho_handover= to the command line.  "kexec -e" starts the image.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "load.h"

#ifndef KEXEC_HANDOVER
#define KEXEC_HANDOVER	0x10
#endif

#define HANDOVER_SIZE	4096
/* More than boot parameters or a device tree take */
#define PARAMS_ROOM	(2 << 20)

static int load(const struct image *image, unsigned long flags)
{
	errno = 0;
	return syscall(SYS_kexec_load, image->entry, image->nr, image->segment,
		       KEXEC_ARCH_DEFAULT | flags);
}

/* The largest scratch area; its list is in @list. */
static struct area areas(struct area *list, int *nr)
{
	FILE *f = fopen("/sys/kernel/kexec_handover/scratch", "r");
	unsigned long long first, last;
	struct area largest = {};

	if (!f)
		fail("/sys/kernel/kexec_handover/scratch");
	for (*nr = 0; *nr < 100 && fscanf(f, "%llx-%llx", &first, &last) == 2; ++*nr) {
		list[*nr] = (struct area){ first, last + 1 };
		if (last + 1 - first > largest.end - largest.start)
			largest = list[*nr];
	}
	fclose(f);
	return largest;
}

/* In the middle of free memory, where KASLR may put a kernel, too. */
static uint64_t take_middle(struct image *image, size_t size)
{
	uint64_t at = (image->area.start + image->area.end) / 2 & -getpagesize();

	image->area.start = at + size;
	return at;
}

/*
 * A page, in the format of include/linux/kho/abi/kho_load.h, that names a tree that no
 * kernel has made: the page, the tree, a page of zeroes.
 */
static uint64_t add_filled(struct image *image, const struct area *list, int nr)
{
	size_t zeroes = HANDOVER_SIZE + getpagesize(), room = zeroes + getpagesize();
	uint64_t *page = calloc(1, room), at = take(image, room, getpagesize()), sum = 0;
	struct blob tree = made_up_tree(at + zeroes);

	memcpy((uint8_t *)page + HANDOVER_SIZE, tree.data, tree.size);
	page[0] = 0x3144414f4c4f484bULL;
	page[1] = at;
	page[2] = at + HANDOVER_SIZE;
	page[3] = getpagesize();
	page[4] = nr;
	for (int i = 0; i < nr; i++) {
		page[5 + 2 * i] = list[i].start;
		page[6 + 2 * i] = list[i].end - list[i].start;
	}
	for (int i = 0; i < HANDOVER_SIZE / 8 - 1; i++)
		sum = (sum << 1 | sum >> 63) + page[i];
	page[HANDOVER_SIZE / 8 - 1] = sum;
	segment(image, page, room, at, room);
	return at;
}

static int load_kernel(bool made_up, bool two, const char *tree, char **argv)
{
	struct blob fdt = tree ? read_file(tree) : (struct blob){};
	/* The page, the tree, and a page of zeroes. */
	size_t zeroes = pages(HANDOVER_SIZE + getpagesize() + fdt.size);
	size_t room = zeroes + getpagesize();
	struct image image = {};
	struct area list[100];
	char cmdline[2048], other[64] = "";
	uint64_t page;
	uint8_t *data;
	int nr;

	image.area = areas(list, &nr);
	page = take_middle(&image, room);
	if (made_up)
		fdt = made_up_tree(page + zeroes);
	if (two)
		snprintf(other, sizeof(other), " kho_handover=%#llx",
			 (unsigned long long)add_filled(&image, list, nr));
	snprintf(cmdline, sizeof(cmdline), "%s%s kho_handover=%#llx", argv[2], other,
		 (unsigned long long)page);
	arch_load(&image, argv[0], argv[1], cmdline);
	data = calloc(1, room);
	if (fdt.data)
		memcpy(data + HANDOVER_SIZE, fdt.data, fdt.size);
	segment(&image, data, fdt.data ? room : 0, page, room);
	if (load(&image, KEXEC_HANDOVER))
		fail("kexec_load");
	return 0;
}

static int load_at(uint64_t phys, size_t size, struct blob text, struct blob more)
{
	struct image image = { .entry = phys };

	segment(&image, text.data, text.size, phys, size > text.size ? size : text.size);
	if (more.data)
		segment(&image, more.data, more.size, phys + size, more.size);
	if (load(&image, 0)) {
		printf("kexec_load at %#llx: %s\n", (unsigned long long)phys, strerror(errno));
		return 1;
	}
	return 0;
}

static bool refuses(const struct image *image, unsigned long flags, int error)
{
	if (load(image, flags) && errno == error)
		return true;
	printf("with %d segments, not refused with %d: %s\n", image->nr, error, strerror(errno));
	return false;
}

static int load_bad(void)
{
	size_t room = HANDOVER_SIZE + getpagesize();
	struct area list[100];
	struct image image = {};
	struct blob params;
	uint64_t line, at;
	char text[64];
	int nr;
	bool ok;

	image.area = areas(list, &nr);
	line = take(&image, PARAMS_ROOM, getpagesize());
	at = take(&image, room, getpagesize());
	snprintf(text, sizeof(text), "kho_handover=%#llx", (unsigned long long)at);
	params = arch_params(line, text);
	image.entry = line;

	segment(&image, params.data, params.size, line, PARAMS_ROOM);
	segment(&image, NULL, 0, at, HANDOVER_SIZE);
	ok = refuses(&image, KEXEC_HANDOVER, EINVAL);	/* no room for the tree */
	image.nr = 1;
	segment(&image, text, 1, at, room);
	ok &= refuses(&image, KEXEC_HANDOVER, EINVAL);	/* data, and no tree in it */
	image.nr = 1;
	segment(&image, NULL, 0, at - getpagesize(), room);
	ok &= refuses(&image, KEXEC_HANDOVER, EINVAL);	/* another place is named */
	image.nr = 1;
	snprintf(text, sizeof(text), "kho_handover=%#llx", (unsigned long long)list[0].end);
	params = arch_params(line, text);
	image.nr = 0;
	segment(&image, params.data, params.size, line, PARAMS_ROOM);
	segment(&image, NULL, 0, list[0].end, room);
	ok &= refuses(&image, KEXEC_HANDOVER, EADDRNOTAVAIL);
	return !ok;
}

static int load_cold(char **argv)
{
	struct image image = {};
	struct area list[100];
	int nr;

	image.area = areas(list, &nr);
	arch_load(&image, argv[0], argv[1], argv[2]);
	if (load(&image, 0))
		fail("kexec_load");
	return 0;
}

/* Where nothing is handed over; it does not come to where the segment is. */
static int load_unsupported(void)
{
	struct image image = { .entry = 64 << 20 };

	segment(&image, NULL, 0, image.entry, HANDOVER_SIZE + getpagesize());
	return !refuses(&image, KEXEC_HANDOVER, EOPNOTSUPP);
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "--handover"))
		return load_kernel(false, false, NULL, argv + 2);
	if (argc == 5 && !strcmp(argv[1], "--cold"))
		return load_cold(argv + 2);
	if (argc == 5 && !strcmp(argv[1], "--made-up"))
		return load_kernel(true, false, NULL, argv + 2);
	if (argc == 5 && !strcmp(argv[1], "--two"))
		return load_kernel(false, true, NULL, argv + 2);
	if (argc == 6 && !strcmp(argv[1], "--tree"))
		return load_kernel(false, false, argv[2], argv + 3);
	if (argc == 5 && !strcmp(argv[1], "--at"))
		return load_at(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0),
			       (struct blob){ (uint8_t *)argv[4], strlen(argv[4]) },
			       (struct blob){});
	if ((argc == 5 || argc == 6) && !strcmp(argv[1], "--line")) {
		uint64_t phys = strtoull(argv[2], NULL, 0), size = strtoull(argv[3], NULL, 0);

		return load_at(phys, size, arch_params(phys, argv[4]), argc == 5 ?
			       (struct blob){} : arch_params(phys + size, argv[5]));
	}
	if (argc == 2 && !strcmp(argv[1], "--bad"))
		return load_bad();
	if (argc == 2 && !strcmp(argv[1], "--unsupported"))
		return load_unsupported();
	fprintf(stderr,
		"usage: kho_pool_load --cold|--handover|--made-up|--two KERNEL INITRD CMDLINE\n"
		"       kho_pool_load --tree FILE KERNEL INITRD CMDLINE\n"
		"       kho_pool_load --at PHYS SIZE TEXT\n"
		"       kho_pool_load --line PHYS SIZE CMDLINE [OTHER]\n"
		"       kho_pool_load --bad|--unsupported\n");
	return 2;
}
