// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each rule for an index, one by one.  The kernel, in restore.c, stops at the
 * first broken rule; the two have to agree.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "khopool.h"

struct walk {
	const struct index_image *image;
	struct kp_index idx;	/* over a copy with a correct header */
	u32 covered;		/* first block after the extents seen so far */
	u64 csum, named;
};

#define bad(w, fmt, ...) \
	violated(&(w)->image->blob, fmt, ##__VA_ARGS__)
#define bad_block(w, block, fmt, ...) \
	bad(w, "block %u at %#" PRIx64 ": " fmt, block, address(w, block), ##__VA_ARGS__)

static u64 address(const struct walk *w, u32 block)
{
	return (w->image->base + ((u64)block << KHO_POOL_BLOCK_SHIFT)) << w->image->frame_shift;
}

static const struct {
	const char *name;
	u32 offset;
} fields[] = {
#define FIELD(f) { #f, offsetof(struct kho_pool_index_header, f) }
	FIELD(magic), FIELD(base), FIELD(size), FIELD(index_size), FIELD(owners), FIELD(areas),
	FIELD(blocks), FIELD(names), FIELD(bitmaps),
};

/* @good is what the header should be. */
static void check_header(const struct index_image *image, const struct kho_pool_index_header *good)
{
	const struct kho_pool_index_header *h = (const void *)image->blob.data;
	u64 csum = kp_csum_words((const __le64 *)h, 0,
				 offsetof(struct kho_pool_index_header, csum) / 8);

	for (u32 i = 0; i < ARRAY_SIZE(fields); i++) {
		u64 is = kp_load((const __le64 *)((const u8 *)h + fields[i].offset));
		u64 should = kp_load((const __le64 *)((const u8 *)good + fields[i].offset));

		if (is != should)
			violated(&image->blob, "header: %s is %#" PRIx64 ", not %#" PRIx64,
				 fields[i].name, is, should);
	}
	if (h->frame_shift != good->frame_shift)
		violated(&image->blob, "header: frame_shift is %u, not %u",
			 le32_to_cpu(h->frame_shift), le32_to_cpu(good->frame_shift));
	if (h->nr_names != good->nr_names)
		violated(&image->blob, "header: nr_names is %u, not %u",
			 le32_to_cpu(h->nr_names), le32_to_cpu(good->nr_names));
	if (le64_to_cpu(h->csum) != csum)
		violated(&image->blob, "header: check value is %016" PRIx64 ", not %016" PRIx64,
			 le64_to_cpu(h->csum), csum);
}

static void check_owners(struct walk *w)
{
	const struct kho_pool_owner_record *owner = w->idx.owners;

	w->csum += kp_csum_words((const __le64 *)owner, kp_word_offset(&w->idx, owner),
				 KHO_POOL_OWNERS * sizeof(*owner) / 8);
	for (u32 i = 0; i < KHO_POOL_OWNERS; i++) {
		if (!owner[i].name[0])
			continue;
		if (!i)
			bad(w, "owner 0 has a name");
		if (!memchr(owner[i].name, 0, KHO_POOL_OWNER_MAX)) {
			bad(w, "owner %u: its name has no end", i);
			continue;
		}
		for (u32 j = 1; j < i; j++)
			if (!strncmp(owner[j].name, owner[i].name, KHO_POOL_OWNER_MAX))
				bad(w, "owner %u: has the name of owner %u", i, j);
	}
}

static void check_word(struct walk *w, u32 block, u64 word)
{
	u8 owner = kp_word_owner(word);

	if (word & KHO_POOL_WORD_RESERVED)
		bad_block(w, block, "word %016" PRIx64 " has reserved bits", word);
	if (owner == KP_OWNER_NONE || owner >= KHO_POOL_OWNERS || !w->idx.owners[owner].name[0])
		bad_block(w, block, "there is no owner %u", owner);
	if (block < w->covered)
		bad_block(w, block, "lies in the extent before it");
}

static void check_extent(struct walk *w, u32 block, u64 word)
{
	u64 frames = kp_word_frames(word);

	check_word(w, block, word);
	if (frames < KHO_POOL_BLOCK_FRAMES)
		bad_block(w, block, "%" PRIu64 " pages have no word of their own", frames);
	if (frames > w->idx.nr_frames || kp_blocks(frames) > w->idx.nr_blocks - block) {
		bad_block(w, block, "the extent's %" PRIu64 " pages leave the region", frames);
		frames = 1;
	}
	w->covered = max(w->covered, block + max(kp_blocks(frames), 1U));
	if (!(word & KHO_POOL_PENDING))
		w->named += !!(word & KHO_POOL_NAMED);
}

static void check_bitmaps(struct walk *w, u32 block, u64 word)
{
	const struct kho_pool_bitmaps *maps = &w->idx.bitmaps[block];

	check_word(w, block, word);
	if (word & KHO_POOL_PENDING || kp_word_frames(word))
		bad_block(w, block, "word %016" PRIx64 " says more than that the block is split",
			  word);
	w->csum += kp_csum_words((const __le64 *)maps, kp_word_offset(&w->idx, maps),
				 sizeof(*maps) / 8);
	w->covered = max(w->covered, block + 1);
	if (word & KHO_POOL_NAMED)
		w->named += kp_bitmaps_extents(maps);
}

static void check_blocks(struct walk *w, u32 a)
{
	struct kp_index *idx = &w->idx;
	u32 first, end;

	kp_area_span(idx, a, &first, &end);
	for (u32 bit = first; bit < end; bit++) {
		u32 block = kp_block_at(idx, a, bit);
		u64 word = kp_load(&idx->blocks[block]);

		w->csum += kp_csum_word(kp_word_offset(idx, &idx->blocks[block]), word);
		if (!word)
			continue;
		if (kp_word_kind(word) == KHO_POOL_SPLIT) {
			check_bitmaps(w, block, word);
		} else if (kp_word_kind(word) == KHO_POOL_EXTENT) {
			if (!bit && kp_blocks(kp_word_frames(word)) >= KHO_POOL_AREA_BLOCKS)
				bad_block(w, block, "such an extent has the word of its area");
			check_extent(w, block, word);
		} else {
			bad_block(w, block, "word %016" PRIx64 " has no meaning", word);
		}
	}
}

static void check_areas(struct walk *w)
{
	struct kp_index *idx = &w->idx;

	for (u32 a = 0; a < idx->nr_areas; a++) {
		u64 word = kp_load(&idx->areas[a]);
		u32 first, end;

		kp_area_span(idx, a, &first, &end);
		w->csum += kp_csum_word(kp_word_offset(idx, &idx->areas[a]), word);
		if (word == KHO_POOL_SPLIT) {
			check_blocks(w, a);
		} else if (kp_word_kind(word) == KHO_POOL_EXTENT && !first) {
			if (kp_blocks(kp_word_frames(word)) < KHO_POOL_AREA_BLOCKS)
				bad(w, "area %u: an extent of %" PRIu64
				    " pages does not have the word of its area", a,
				    kp_word_frames(word));
			check_extent(w, kp_block_at(idx, a, 0), word);
		} else if (word) {
			bad(w, "area %u: word %016" PRIx64 " has no meaning", a, word);
		}
	}
}

/* Is there a live extent with a name? */
static bool named_extent(const struct kp_index *idx, u64 frame)
{
	u32 block = frame >> KHO_POOL_BLOCK_SHIFT, bit = frame % KHO_POOL_BLOCK_FRAMES;
	bool split = false;
	u64 word;

	if (frame >= idx->nr_frames)
		return false;
	word = kp_load(&idx->areas[kp_area_of(idx, block)]);
	if (kp_word_kind(word) == KHO_POOL_SPLIT) {
		word = kp_load(&idx->blocks[block]);
		split = kp_word_kind(word) == KHO_POOL_SPLIT;
	} else if (kp_bit_of(idx, block)) {
		return false;
	}
	if (!(word & KHO_POOL_NAMED))
		return false;
	return split ? kp_bitmaps_length(&idx->bitmaps[block], bit) :
			 kp_word_live(word) && !bit;
}

static int by_text(const void *a, const void *b)
{
	const struct kho_pool_name_record *x = *(const void **)a, *y = *(const void **)b;

	return strncmp(x->name, y->name, KHO_POOL_NAME_MAX) ?: (x > y) - (x < y);
}

static int by_key(const void *a, const void *b)
{
	const struct kho_pool_name_record *x = *(const void **)a, *y = *(const void **)b;
	u64 kx = kp_load(&x->key), ky = kp_load(&y->key);

	return (kx > ky) - (kx < ky) ?: (x > y) - (x < y);
}

/* Names of live extents have to differ, and so have the extents. */
static void check_unique(struct walk *w, const struct kho_pool_name_record **live, u64 nr)
{
	const struct kho_pool_name_record *names = w->idx.names;

	qsort(live, nr, sizeof(*live), by_text);
	for (u64 i = 1; i < nr; i++)
		if (!strncmp(live[i - 1]->name, live[i]->name, KHO_POOL_NAME_MAX))
			bad(w, "names %td and %td are the same", live[i - 1] - names,
			    live[i] - names);
	qsort(live, nr, sizeof(*live), by_key);
	for (u64 i = 1; i < nr; i++)
		if (live[i - 1]->key == live[i]->key)
			bad(w, "names %td and %td are of the same extent", live[i - 1] - names,
			    live[i] - names);
}

static void check_names(struct walk *w)
{
	const struct kho_pool_name_record *names = w->idx.names, **live;
	u64 used = kp_load(&w->idx.header->names_used), nr = 0;

	w->csum += kp_csum_word(kp_word_offset(&w->idx, &w->idx.header->names_used), used);
	if (used > w->idx.nr_names) {
		bad(w, "%" PRIu64 " names are used, of %u", used, w->idx.nr_names);
		return;
	}
	w->csum += kp_csum_words((const __le64 *)names, kp_word_offset(&w->idx, names),
				 used * sizeof(*names) / 8);
	live = pages(used * sizeof(*live));
	for (u64 i = 0; i < used; i++) {
		u64 key = kp_load(&names[i].key);

		if (!key)
			continue;
		if (!names[i].name[0] || !memchr(names[i].name, 0, KHO_POOL_NAME_MAX)) {
			bad(w, "name %" PRIu64 " is empty or has no end", i);
			continue;
		}
		/* Half of an interrupted operation, which restore cleans up. */
		if (named_extent(&w->idx, key - 1))
			live[nr++] = &names[i];
	}
	check_unique(w, live, nr);
	free(live);
	if (nr != w->named)
		bad(w, "%" PRIu64 " extents have names, and there are names for %" PRIu64, w->named,
		    nr);
}

/* A copy with the correct header, so that everything else can be found. */
static bool open_copy(struct walk *w)
{
	const struct index_image *image = w->image;
	const struct kho_pool_index_header *h = (const void *)image->blob.data;
	u64 size = image->blob.size;
	struct kho_pool_index_header *good;
	char pool[KHO_POOL_POOL_NAME_MAX + 1] = {};
	u8 *copy;

	if (!kp_index_size_valid(size, image->base, image->frames)) {
		violated(&image->blob, "header: %#" PRIx64 " bytes at %#" PRIx64
			 " have an index of %" PRIu64 " bytes; this one has %" PRIu64,
			 image->frames << image->frame_shift, image->base << image->frame_shift,
			 kp_index_size_table(image->base, image->frames), size);
		return false;
	}
	memcpy(pool, h->pool, sizeof(h->pool));
	good = pages(size);
	kp_index_format(good, size, image->base, image->frames, image->frame_shift, pool);
	check_header(image, good);
	copy = pages(size);
	memcpy(copy, image->blob.data, size);
	memcpy(copy, good, offsetof(struct kho_pool_index_header, names_used));
	free(good);
	if (kp_index_attach(&w->idx, copy, size, image->base, image->frames, image->frame_shift,
			    pages(kp_index_volatile_size(image->base, image->frames, 1)), 1))
		die("%s: a good header is refused", image->blob.name);
	return true;
}

void check_index(const struct index_image *image)
{
	struct walk w = { .image = image };
	u32 before = violations();

	if (!open_copy(&w))
		return;
	check_owners(&w);
	check_areas(&w);
	check_names(&w);
	if (image->csum && w.csum != *image->csum)
		bad(&w, "index is not what was sealed: its sum is %016" PRIx64 ", not %016" PRIx64,
		    w.csum, *image->csum);
	if (image->wrong && violations() == before)
		bad(&w, "%s", image->wrong);
	if (!image->wrong && violations() != before)
		die("%s: the kernel would take it over", image->blob.name);
}
