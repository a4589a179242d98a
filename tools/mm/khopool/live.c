// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the machine that we run on hands on or has received.
 *
 * With CONFIG_KHO_POOL_DEBUG all of it is in debugfs.  Without, KHO may still
 * show the root there, and a file such as /dev/mem may have the indexes.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "khopool.h"

#define DEBUG	"/sys/kernel/debug/"

static char *path_of(const char *fmt, u32 i)
{
	char buf[80];
	char *path;

	snprintf(buf, sizeof(buf), fmt, i);
	path = strdup(buf);
	if (!path)
		die("no memory");
	return path;
}

static struct blob read_memory(const char *mem, u64 phys, u64 size)
{
	struct blob blob = { .name = mem, .data = pages(size) };
	int fd = open(mem, O_RDONLY);

	if (fd < 0)
		die("%s: %s", mem, strerror(errno));
	while (blob.size < size) {
		ssize_t nr = pread(fd, blob.data + blob.size, size - blob.size,
				   phys + blob.size);

		if (nr <= 0)
			die("%s at %#llx: %s", mem, (unsigned long long)(phys + blob.size),
			    nr ? strerror(errno) : "it ends there");
		blob.size += nr;
	}
	close(fd);
	return blob;
}

void read_live(struct images *images, bool received, const char *mem)
{
	const char *root = received ? DEBUG "kho_pool/in/root" : DEBUG "kho_pool/out/root";
	const struct kp_root *r;

	if (!received && access(root, R_OK))
		root = DEBUG "kho/out/sub_fdts/" KHO_POOL_SUBTREE;
	if (access(root, R_OK))
		die("%s: %s (is debugfs mounted, is there a pool%s?)", root, strerror(errno),
		    received ? " from the previous kernel" : "");
	add_image(images, read_blob(root));
	r = &images->root->root;
	for (u32 i = 0; i < r->nr_regions && !received && !images->root->wrong; i++) {
		char *path = path_of(DEBUG "kho_pool/out/index%u", i);

		if (mem)
			add_image(images, read_memory(mem, r->region[i].index,
						      r->region[i].index_size));
		else if (!access(path, R_OK))
			add_image(images, read_blob(path));
	}
	relate_images(images);
}
