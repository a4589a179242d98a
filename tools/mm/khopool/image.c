// SPDX-License-Identifier: GPL-2.0-only
/* Files, their contents, and which belongs to which.  Trusts nothing. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <libfdt.h>

#include "khopool.h"

void *pages(u64 size)
{
	void *p = aligned_alloc(4096, ALIGN(size + !size, 4096));

	if (!p)
		die("no memory for %llu bytes", (unsigned long long)size);
	return memset(p, 0, ALIGN(size + !size, 4096));
}

/* An index says how long it is.  No other image is longer than this. */
#define MAX_BYTES (64ULL << 20)

static u64 max_bytes(const struct blob *blob)
{
	const struct kho_pool_index_header *h = (const void *)blob->data;

	if (blob->size < sizeof(*h) || le64_to_cpu(h->magic) != KHO_POOL_INDEX_MAGIC)
		return MAX_BYTES;
	return max(le64_to_cpu(h->index_size), MAX_BYTES);
}

/* Files in debugfs do not have a known size. */
struct blob read_blob(const char *path)
{
	struct blob blob = { .name = path };
	int fd = open(path, O_RDONLY);
	u64 room = 0;
	ssize_t nr;

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	do {
		if (blob.size == room) {
			u8 *more = pages(room = room ? 4 * room : 1 << 16);

			if (blob.size)
				memcpy(more, blob.data, blob.size);
			free(blob.data);
			blob.data = more;
		}
		nr = read(fd, blob.data + blob.size, room - blob.size);
		if (nr < 0)
			die("%s: %s", path, strerror(errno));
		blob.size += nr;
		if (blob.size > max_bytes(&blob))
			die("%s is longer than an image is", path);
	} while (nr);
	close(fd);
	if (!blob.size)
		die("%s is empty", path);
	return blob;
}

bool tree_good(const void *fdt, u64 size)
{
	int depth = 0, offset = 0, next;
	u32 tag;

	if (size < sizeof(struct fdt_header) || fdt_check_header(fdt) ||
	    fdt_totalsize(fdt) > size)
		return false;
	/* Check every tag, so that later walks can rely on the tree. */
	do {
		tag = fdt_next_tag(fdt, offset, &next);
		if (next < 0)
			return false;
		if (tag == FDT_BEGIN_NODE)
			depth++;
		else if (tag == FDT_END_NODE && --depth < 0)
			return false;
		else if (tag == FDT_PROP && !fdt_get_property_by_offset(fdt, offset, NULL))
			return false;
		offset = next;
	} while (tag != FDT_END);
	return !depth;
}

static bool compatible(const struct blob *blob, const char *prefix)
{
	const char *is;
	int len;

	if (!tree_good(blob->data, blob->size))
		return false;
	is = fdt_getprop(blob->data, 0, "compatible", &len);
	return is && len > (int)strlen(prefix) && !strncmp(is, prefix, strlen(prefix));
}

/* An index is larger than root and keep list, however damaged it may be. */
static enum kind kind_of(const struct blob *blob)
{
	if (compatible(blob, "kho-v"))
		return KIND_TREE;
	return blob->size <= KHO_POOL_BLOB_SIZE ? KIND_ROOT : KIND_INDEX;
}

static bool is_power_of_2(u64 n)
{
	return n && !(n & (n - 1));
}

static void add_root(struct images *images, struct blob blob)
{
	struct root_image *root;
	__le64 le = 0;
	int len;

	if (images->root)
		die("%s and %s are both roots", images->root->blob.name, blob.name);
	if (blob.size != KHO_POOL_ROOT_SIZE && blob.size != KHO_POOL_BLOB_SIZE)
		die("%s: %llu bytes are no root: it has %d, with its keep list %d", blob.name,
		    (unsigned long long)blob.size, KHO_POOL_ROOT_SIZE, KHO_POOL_BLOB_SIZE);
	root = pages(sizeof(*root));
	images->root = root;
	root->blob = blob;
	/* Its own page size: it may be from another machine. */
	if (!fdt_check_header(blob.data) && fdt_totalsize(blob.data) <= KHO_POOL_ROOT_CSUM) {
		const void *value = fdt_getprop(blob.data, 0, KHO_POOL_PROP_FRAME_SIZE, &len);

		if (value && len == sizeof(le))
			memcpy(&le, value, sizeof(le));
	}
	root->wrong = kp_root_decode(blob.data, le64_to_cpu(le), &root->root);
	if (!root->wrong && (!is_power_of_2(root->root.frame_size) ||
			     root->root.frame_size < 4096 || root->root.frame_size > 65536))
		root->wrong = "root has no valid page size";
	if (blob.size == KHO_POOL_BLOB_SIZE) {
		root->keep_page = blob.data + KHO_POOL_ROOT_SIZE;
		root->keep_good = kp_keep_decode(root->keep_page, &root->keep);
	}
}

void add_image(struct images *images, struct blob blob)
{
	switch (kind_of(&blob)) {
	case KIND_ROOT:
		add_root(images, blob);
		break;
	case KIND_TREE:
		if (images->tree.data)
			die("%s and %s are both trees of KHO", images->tree.name, blob.name);
		images->tree = blob;
		break;
	case KIND_INDEX:
		if (images->nr_indexes == KHO_POOL_MAX_REGIONS)
			die("%s: more than %d indexes", blob.name, KHO_POOL_MAX_REGIONS);
		images->index[images->nr_indexes++].blob = blob;
		break;
	}
}

static const struct kp_root_region *region_of(const struct images *images, u32 i)
{
	const struct kho_pool_index_header *h = (void *)images->index[i].blob.data;
	const struct kp_root *root = &images->root->root;

	for (u32 j = 0; j < root->nr_regions; j++)
		if (root->region[j].base == le64_to_cpu(h->base))
			return &root->region[j];
	/* If the header is damaged, take the region with that number. */
	return i < root->nr_regions ? &root->region[i] : NULL;
}

/* As the next kernel does it. */
static void open_index(struct index_image *index)
{
	u64 size = index->blob.size;
	void *volatile_mem;
	int err;

	if (!kp_index_size_valid(size, index->base, index->frames)) {
		index->wrong = "index header is damaged";
		return;
	}
	volatile_mem = pages(kp_index_volatile_size(index->base, index->frames, 1));
	index->idx.read_only = true;
	if (kp_index_attach(&index->idx, index->blob.data, size, index->base, index->frames,
			    index->frame_shift, volatile_mem, 1)) {
		index->wrong = "index header is damaged";
		return;
	}
	err = kp_index_restore(&index->idx, index->csum);
	if (err)
		index->wrong = err == -EBADMSG ? "index is not what was sealed" :
			       "index contradicts itself";
}

bool next_extent(struct kp_index *idx, u64 *frame, struct kp_extent *ext)
{
	int err;

	do
		err = kp_index_next(idx, frame, ext);
	while (err == -EAGAIN);
	return !err;
}

void relate_images(struct images *images)
{
	const struct kp_root *root = images->root && !images->root->wrong ?
				     &images->root->root : NULL;

	for (u32 i = 0; i < images->nr_indexes; i++) {
		struct index_image *index = &images->index[i];
		const struct kho_pool_index_header *h = (void *)index->blob.data;
		const struct kp_root_region *region = root ? region_of(images, i) : NULL;
		u64 base = le64_to_cpu(h->base), size = le64_to_cpu(h->size);
		u32 shift = le32_to_cpu(h->frame_shift);

		if (region) {
			base = region->base;
			size = region->size;
			shift = __ffs64(root->frame_size);
			/* The sum of a region that is not taken over has no meaning. */
			if (root->sealed && region->state == KHO_POOL_REGION_OK)
				index->csum = &region->csum;
		} else if (shift < 12 || shift > 16) {
			shift = 12;
		}
		index->base = base >> shift;
		index->frames = size >> shift;
		index->frame_shift = shift;
		open_index(index);
	}
}

void read_images(struct images *images, int nr, char **paths)
{
	for (int i = 0; i < nr; i++)
		add_image(images, read_blob(paths[i]));
	relate_images(images);
}
