// SPDX-License-Identifier: GPL-2.0-only
/* What the index promises, one promise a test. */
#include <ctype.h>
#include <pthread.h>
#include <unistd.h>

#include "region.h"
#include "test.h"

static bool sizes_and_alignments(void)
{
	static const u64 sizes[] = { 1, 2, 3, 64, 65, 511, 512, 513, 1000, 1024, GIB - 1, GIB,
				     GIB + 512, 3 * GIB / 2, 2 * GIB };
	static const u64 aligns[] = { 1, 2, 64, 512, 1024, GIB, 2 * GIB };
	struct region r;

	region_init(&r, 4 * GIB + 64 * MIB2, 5 * GIB, 1);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (u32 j = 0; j < ARRAY_SIZE(aligns); j++) {
			struct kp_extent ext;
			u64 frame;

			CHECK_EQ(get(&r, sizes[i], aligns[j], 1, NULL, &frame), 0);
			CHECK_EQ((r.base + frame) % aligns[j], 0);
			CHECK(frame + sizes[i] <= r.frames);
			CHECK_EQ(kp_index_validate(&r.idx), 0);
			CHECK_EQ(kp_index_find(&r.idx, frame, &ext), 0);
			CHECK_EQ(ext.frames, sizes[i]);
			CHECK_EQ(ext.owner, 1);
			CHECK_EQ(put(&r, frame, sizes[i], 1), 0);
			CHECK_EQ(kp_index_validate(&r.idx), 0);
		}
	}
	region_exit(&r);
	return true;
}

/* A pool of N GiB yields N extents of 1 GiB; and the whole region at once. */
static bool every_gigabyte(void)
{
	struct region r;
	u64 frame, seen = 0;

	region_init(&r, 8 * GIB, 64 * GIB, 1);
	for (int i = 0; i < 64; i++) {
		CHECK_EQ(get(&r, GIB, GIB, 1, NULL, &frame), 0);
		CHECK_EQ(frame % GIB, 0);
		CHECK(!(seen >> (frame / GIB) & 1));
		seen |= 1ULL << (frame / GIB);
	}
	CHECK_EQ(get(&r, 1, 1, 1, NULL, &frame), -ENOMEM);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	for (int i = 0; i < 64; i++)
		CHECK_EQ(put(&r, i * GIB, GIB, 1), 0);
	CHECK_EQ(get(&r, 64 * GIB, 1, 1, NULL, &frame), 0);
	CHECK_EQ(frame, 0);
	CHECK_EQ(put(&r, 0, 64 * GIB, 1), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	region_exit(&r);
	return true;
}

static bool every_frame(void)
{
	struct region r;
	u64 frame;
	u8 *seen;

	region_init(&r, 64 * MIB2, 8 * MIB2, 1);
	seen = calloc(1, r.frames);
	for (u64 i = 0; i < r.frames; i++) {
		CHECK_EQ(get(&r, 1, 1, 1, NULL, &frame), 0);
		CHECK(!seen[frame]++);
	}
	CHECK_EQ(get(&r, 1, 1, 1, NULL, &frame), -ENOMEM);
	for (u64 i = 0; i < r.frames; i++)
		CHECK_EQ(put(&r, i, 1, 1), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(get(&r, 8 * MIB2, 1, 1, NULL, &frame), 0);
	free(seen);
	region_exit(&r);
	return true;
}

static bool bad_frees_change_nothing(void)
{
	struct region r;
	u64 a, b, c, csum;

	region_init(&r, 0, 2 * GIB, 1);
	CHECK_EQ(get(&r, 3, 1, 1, NULL, &a), 0);
	CHECK_EQ(get(&r, 5 * MIB2, 1, 1, NULL, &b), 0);
	CHECK_EQ(get(&r, GIB, GIB, 1, "big", &c), 0);
	csum = kp_index_csum(&r.idx);
	CHECK_EQ(put(&r, a, 2, 1), -EINVAL);
	CHECK_EQ(put(&r, a, 4, 1), -EINVAL);
	CHECK_EQ(put(&r, a, 3, 2), -EINVAL);
	CHECK_EQ(put(&r, a + 1, 2, 1), -ENOENT);
	CHECK_EQ(put(&r, a + 3, 1, 1), -ENOENT);
	CHECK_EQ(put(&r, b, MIB2, 1), -EINVAL);
	CHECK_EQ(put(&r, b + MIB2, 4 * MIB2, 1), -ENOENT);
	CHECK_EQ(put(&r, b + 1, 5 * MIB2, 1), -ENOENT);
	CHECK_EQ(put(&r, c, GIB + 1, 1), -EINVAL);
	CHECK_EQ(put(&r, c + MIB2, GIB, 1), -ENOENT);
	CHECK_EQ(put(&r, r.frames, 1, 1), -EINVAL);
	CHECK_EQ(put(&r, ~0ULL, 1, 1), -EINVAL);
	CHECK(csum == kp_index_csum(&r.idx));
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(put(&r, a, 3, 1), 0);
	CHECK_EQ(put(&r, a, 3, 1), -ENOENT);
	CHECK_EQ(put(&r, b, 5 * MIB2, 1), 0);
	CHECK_EQ(put(&r, b, 5 * MIB2, 1), -ENOENT);
	CHECK_EQ(put(&r, c, GIB, 1), 0);
	CHECK_EQ(put(&r, c, GIB, 1), -ENOENT);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	region_exit(&r);
	return true;
}

static bool bad_requests(void)
{
	struct region r;
	u64 frame;

	region_init(&r, 0, GIB, 1);
	CHECK_EQ(get(&r, 0, 1, 1, NULL, &frame), -EINVAL);
	CHECK_EQ(get(&r, 1, 0, 1, NULL, &frame), -EINVAL);
	CHECK_EQ(get(&r, 1, 3, 1, NULL, &frame), -EINVAL);
	CHECK_EQ(get(&r, 1, 1, 0, NULL, &frame), -EINVAL);
	CHECK_EQ(get(&r, 1, 1, KHO_POOL_OWNERS, NULL, &frame), -EINVAL);
	CHECK_EQ(get(&r, GIB + 1, 1, 1, NULL, &frame), -ENOMEM);
	CHECK_EQ(get(&r, ~0ULL, 1, 1, NULL, &frame), -ENOMEM);
	CHECK_EQ(get(&r, MIB2, 1ULL << 62, 1, NULL, &frame), 0);
	CHECK_EQ(frame, 0);
	CHECK_EQ(get(&r, 1, 1ULL << 63, 1, NULL, &frame), -ENOMEM);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	region_exit(&r);
	return true;
}

static bool names(void)
{
	struct region r;
	char name[32];
	u64 frame, nr;
	u64 csum;

	region_init(&r, GIB, 2 * GIB, 1);
	nr = r.idx.nr_names;
	for (u64 i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "vm-%llu", (unsigned long long)i);
		CHECK_EQ(get(&r, i % 3 ? 1 + i % 7 : MIB2, 1, 1 + i % 2, name, &frame), 0);
	}
	CHECK_EQ(get(&r, 1, 1, 1, "one too many", &frame), -ENOSPC);
	CHECK_EQ(get(&r, 1, 1, 1, NULL, &frame), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK(kp_index_seal(&r.idx, &csum, 100));
	CHECK_EQ(region_restore(&r, &csum), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	for (u64 i = 0; i < nr; i++) {
		struct kp_extent ext;

		snprintf(name, sizeof(name), "vm-%llu", (unsigned long long)i);
		CHECK_EQ(kp_name_find(&r.idx, name, &frame), 0);
		CHECK_EQ(kp_index_find(&r.idx, frame, &ext), 0);
		CHECK(!strcmp(ext.name, name));
		CHECK(ext.unclaimed);
		CHECK_EQ(put(&r, frame, ext.frames, ext.owner), 0);
		CHECK_EQ(kp_name_find(&r.idx, name, &frame), -ENOENT);
	}
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(get(&r, 1, 1, 1, "again", &frame), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	region_exit(&r);
	return true;
}

static u32 sip(const char *text, u32 size)
{
	hsiphash_key_t key;

	for (u32 i = 0; i < sizeof(key); i++)
		((u8 *)&key)[i] = i;
	return hsiphash(text, size, &key);
}

/* Names that would all be in one bucket are not, with another key. */
static bool names_chosen(void)
{
	u32 in[256] = {}, most = 0;
	struct kp_index idx = {};
	char name[16];

	/* As in lib/tests/siphash_kunit.c */
	CHECK(sip("", 0) == 0x050fc4dc);
	CHECK(sip("\0\1\2\3\4\5\6\7", 8) == 0x8d299a8e);
	CHECK(sip("\0\1\2\3\4\5\6\7\x8\x9\xa", 11) == 0xf94dc352);
	for (u32 i = 0, found = 0; found < 256; i++) {
		snprintf(name, sizeof(name), "vm-%u", i);
		memset(&idx.name_key, 0, sizeof(idx.name_key));
		if (kp_name_hash(&idx, name) % 256)
			continue;
		found++;
		idx.name_key.key[1] = 1;
		most = max(most, ++in[kp_name_hash(&idx, name) % 256]);
	}
	CHECK(most < 16);
	return true;
}

static bool name_rule(void)
{
	static const char * const good[] = { "a", "Z", "0", "-", "_x", "a.b", "vm-9_.", "a23456." };
	static const char * const bad[] = { "", ".", ".a", "a b", "a/b", "a:b", "a\n", "a@b", "[",
					    "`", "{", "a2345678", "\xe9", "vm\xc0", "\xc3\xa9" };

	for (u32 i = 0; i < ARRAY_SIZE(good); i++)
		CHECK(kp_name_valid(good[i], 8));
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(!kp_name_valid(bad[i], 8));
	CHECK(!kp_name_valid(NULL, 8));
	for (u32 c = 1; c < 256; c++) {
		char name[] = { 'a', c, 0 };
		bool valid = c < 128 && (isalnum(c) || strchr("-_.", c));

		CHECK_EQ(kp_name_valid(name, sizeof(name)), valid);
	}
	return true;
}

static bool sealed_says_no(void)
{
	struct region r;
	u64 frame, csum, other;

	region_init(&r, GIB, GIB, 4);
	CHECK_EQ(get(&r, MIB2, 1, 1, NULL, &frame), 0);
	CHECK(kp_index_seal(&r.idx, &csum, 100));
	/* By every path: frames, a block, a few, a long run, whole areas, aligned to more. */
	for (u64 frames = 1; frames < GIB; frames = 3 * frames / 2 + 1)
		for (u64 align = 1; align <= 2 * GIB; align *= 8)
			CHECK_EQ(get(&r, frames, align, 1, NULL, &other), -ESHUTDOWN);
	CHECK_EQ(get(&r, 1, 1, 1, "name", &other), -ESHUTDOWN);
	CHECK_EQ(put(&r, frame, MIB2, 1), -ESHUTDOWN);
	CHECK_EQ(kp_owner_set(&r.idx, &r.idx.pcpu[0], 3, "three"), -ESHUTDOWN);
	CHECK(csum == kp_index_csum(&r.idx));
	whole_unseal(&r.idx, r.idx.pcpu);
	CHECK_EQ(put(&r, frame, MIB2, 1), 0);
	/* A CPU that does not come out of an operation. */
	r.idx.pcpu[3].active = true;
	CHECK(!kp_index_seal(&r.idx, &csum, 100));
	region_exit(&r);
	return true;
}

/* Where there are free blocks, but none at an address of that alignment. */
static bool aligned_places_outside(void)
{
	for (u64 base = GIB - 8 * MIB2; base < 8 * GIB; base += GIB + 16 * MIB2) {
		struct region r;
		u64 frame;

		region_init(&r, base, 2 * GIB + 32 * MIB2, 1);
		for (u64 align = MIB2; align <= 1024 * GIB; align *= 2) {
			for (u64 frames = 1; frames <= 2 * GIB; frames = 2 * frames + 77) {
				u64 first = ALIGN(base, align) - base;
				bool there = first + ALIGN(frames, MIB2) <= r.frames;
				int err = get(&r, frames, align, 1, NULL, &frame);

				CHECK_EQ(err, there ? 0 : -ENOMEM);
				if (err)
					continue;
				CHECK_EQ((base + frame) % align, 0);
				CHECK(frame + frames <= r.frames);
				CHECK_EQ(put(&r, frame, frames, 1), 0);
			}
		}
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		region_exit(&r);
	}
	return true;
}

/* Confirmed after the seal, and longer than its area: all of it is given back. */
static bool late_and_long(void)
{
	struct kp_request req = { .frames = 2 * GIB, .align = MIB2, .owner = 1, .clear = true };
	struct region r;
	u64 frame, csum;

	region_init(&r, 3 * GIB / 2, 3 * GIB, 1);
	CHECK_EQ(whole_alloc(&r.idx, r.idx.pcpu, &req, &frame), 0);
	CHECK(kp_index_seal(&r.idx, &csum, 1));
	CHECK_EQ(whole_confirm(&r.idx, r.idx.pcpu, frame), -ESHUTDOWN);
	whole_unseal(&r.idx, r.idx.pcpu);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(get(&r, 3 * GIB, 1, 1, NULL, &frame), 0);
	region_exit(&r);
	return true;
}

/* A run of which another CPU has got a part stays as it was. */
static bool too_late_for_a_run(void)
{
	struct region r;
	u32 taken = 0;
	u64 frame;

	region_init(&r, GIB, 3 * GIB, 1);
	CHECK_EQ(get(&r, MIB2, 1, 1, NULL, &frame), 0);
	while (kp_blocks_take(&r.idx, 0, r.idx.nr_blocks, &taken))
		CHECK(taken < r.idx.nr_blocks);
	while (taken)
		taken = kp_blocks_give(&r.idx, 0, taken);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	region_exit(&r);
	return true;
}

/* A region is one of whole blocks, and the index is that of this one. */
static bool bad_regions(void)
{
	struct region r;
	struct kp_index idx = {};

	region_init(&r, GIB, GIB, 1);
	CHECK_EQ(kp_index_size(GIB + 1, GIB), 0);
	CHECK_EQ(kp_index_size(GIB, GIB + 1), 0);
	CHECK_EQ(kp_index_size(GIB, 0), 0);
	CHECK_EQ(kp_index_format(r.index, r.index_size, GIB + 1, GIB, SHIFT, "x"), -EINVAL);
	CHECK_EQ(kp_index_format(r.index, r.index_size - 8, GIB, GIB, SHIFT, "x"), -EINVAL);
	CHECK_EQ(kp_index_attach(&idx, r.index, r.index_size, GIB, GIB + 1, SHIFT, r.vol, 1),
		 -EINVAL);
	CHECK_EQ(kp_index_attach(&idx, r.index, r.index_size, 2 * GIB, GIB, SHIFT, r.vol, 1),
		 -EINVAL);
	CHECK_EQ(kp_index_attach(&idx, r.index, r.index_size, GIB, GIB, SHIFT + 2, r.vol, 1),
		 -EINVAL);
	CHECK_EQ(kp_index_attach(&idx, r.index, r.index_size, GIB, GIB, SHIFT, r.vol, 1), 0);
	region_exit(&r);
	return true;
}

/* An extent that was being cleared is not there for the next kernel. */
static bool pending_is_dropped(void)
{
	struct kp_request req = { .frames = 3 * MIB2, .align = 1, .owner = 1, .clear = true,
				  .name = "half" };
	struct kp_request big = { .frames = GIB, .align = GIB, .owner = 1, .clear = true };
	struct kp_extent ext;
	struct region r;
	u64 a, b, c, csum, x;

	region_init(&r, GIB, 3 * GIB, 1);
	CHECK_EQ(whole_alloc(&r.idx, &r.idx.pcpu[0], &req, &a), 0);
	CHECK_EQ(whole_alloc(&r.idx, &r.idx.pcpu[0], &big, &b), 0);
	CHECK_EQ(kp_index_find(&r.idx, a, &ext), -ENOENT);
	CHECK_EQ(put(&r, b, GIB, 1), -ENOENT);
	req.name = "whole";
	CHECK_EQ(whole_alloc(&r.idx, &r.idx.pcpu[0], &req, &c), 0);
	CHECK_EQ(whole_confirm(&r.idx, &r.idx.pcpu[0], c), 0);
	CHECK_EQ(kp_index_find(&r.idx, c, &ext), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK(kp_index_seal(&r.idx, &csum, 100));
	CHECK_EQ(whole_confirm(&r.idx, &r.idx.pcpu[0], a), -ESHUTDOWN);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	/* If this kernel continues, it is freed: no caller knows it. */
	whole_unseal(&r.idx, r.idx.pcpu);
	CHECK_EQ(kp_name_find(&r.idx, "half", &x), -ENOENT);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(kp_index_extents(&r.idx), 2);
	CHECK_EQ(whole_confirm(&r.idx, &r.idx.pcpu[0], b), 0);
	CHECK_EQ(put(&r, b, GIB, 1), 0);
	req.name = "half";
	CHECK_EQ(whole_alloc(&r.idx, &r.idx.pcpu[0], &req, &a), 0);
	CHECK_EQ(whole_alloc(&r.idx, &r.idx.pcpu[0], &big, &b), 0);
	CHECK(kp_index_seal(&r.idx, &csum, 100));
	CHECK_EQ(region_restore(&r, &csum), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(kp_index_extents(&r.idx), 1);
	CHECK_EQ(kp_name_find(&r.idx, "half", &a), -ENOENT);
	CHECK_EQ(kp_name_find(&r.idx, "whole", &a), 0);
	CHECK_EQ(a, c);
	region_exit(&r);
	return true;
}

/* Frames that are being cleared are nobody else's, and are not there for the next kernel. */
static bool reserved_frames(void)
{
	struct kp_request req = { .frames = 3, .align = 2, .owner = 1, .clear = true };
	struct kp_request one = { .frames = 1, .align = 1, .owner = 1 };
	struct kp_alloc a = { .req = &req }, b = { .req = &req }, c = { .req = &req };
	struct kp_pcpu *pcpu;
	struct kp_rest rest;
	struct region r;
	u64 frame, csum;

	region_init(&r, GIB, 8 * MIB2, 2);
	pcpu = r.idx.pcpu;
	CHECK_EQ(kp_index_alloc(&r.idx, pcpu, &a), 0);
	CHECK_EQ(kp_index_alloc(&r.idx, pcpu + 1, &b), 0);
	CHECK(a.unconfirmed && b.unconfirmed);
	CHECK_EQ(a.frame % MIB2, 0);
	CHECK_EQ(b.frame, a.frame + 4);
	CHECK_EQ(put(&r, a.frame, 3, 1), -ENOENT);
	/* The hole between them, and what is behind them */
	CHECK_EQ(whole_alloc(&r.idx, pcpu, &one, &frame), 0);
	CHECK_EQ(frame, a.frame + 3);
	CHECK_EQ(put(&r, frame, 1, 1), 0);
	CHECK_EQ(kp_index_alloc(&r.idx, pcpu, &c), 0);
	CHECK_EQ(c.frame, a.frame + 8);
	CHECK_EQ(kp_index_extents(&r.idx), 0);
	CHECK_EQ(kp_index_confirm(&r.idx, pcpu, &b), 0);
	CHECK_EQ(put(&r, b.frame, 3, 1), 0);
	/* The block goes with the last of them. */
	kp_index_drop(&r.idx, pcpu, &a, &rest);
	CHECK_EQ(get(&r, 8 * MIB2, 1, 2, NULL, &frame), -ENOMEM);
	kp_index_drop(&r.idx, pcpu, &c, &rest);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(get(&r, 8 * MIB2, 1, 2, NULL, &frame), 0);
	CHECK_EQ(put(&r, 0, 8 * MIB2, 2), 0);

	/* Too late: the kernel goes on, and has the block again. */
	kp_begin_alloc(&a, &req);
	CHECK_EQ(kp_index_alloc(&r.idx, pcpu, &a), 0);
	CHECK(kp_index_seal(&r.idx, &csum, 1));
	CHECK_EQ(kp_index_confirm(&r.idx, pcpu, &a), -ESHUTDOWN);
	whole_unseal(&r.idx, pcpu);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(get(&r, 8 * MIB2, 1, 2, NULL, &frame), 0);
	CHECK_EQ(put(&r, 0, 8 * MIB2, 2), 0);

	/* And the next kernel has nothing of it. */
	kp_begin_alloc(&a, &req);
	CHECK_EQ(kp_index_alloc(&r.idx, pcpu, &a), 0);
	CHECK(kp_index_seal(&r.idx, &csum, 1));
	CHECK_EQ(region_restore(&r, &csum), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(kp_index_extents(&r.idx), 0);
	CHECK_EQ(get(&r, 8 * MIB2, 1, 2, NULL, &frame), 0);
	region_exit(&r);
	return true;
}

/* A name may be gone before the memory is cleared. */
static bool reserved_without_a_name(void)
{
	struct kp_request req = { .frames = 1, .align = 1, .owner = 1, .clear = true, .name = "x" };
	struct kp_alloc a = { .req = &req };
	struct region r;
	char name[16];
	u64 frame;

	region_init(&r, GIB, GIB, 1);
	CHECK_EQ(kp_index_alloc(&r.idx, r.idx.pcpu, &a), 0);
	for (u32 i = 0; i < r.idx.nr_names; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		CHECK_EQ(get(&r, 1, 1, 2, name, &frame), 0);
	}
	CHECK_EQ(get(&r, 1, 1, 2, "y", &frame), -ENOSPC);
	CHECK_EQ(kp_index_confirm(&r.idx, r.idx.pcpu, &a), -ENOSPC);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(kp_index_extents(&r.idx), r.idx.nr_names);
	CHECK_EQ(kp_name_find(&r.idx, "x", &frame), -ENOENT);
	region_exit(&r);
	return true;
}

/* Others get the last names while the blocks of a run are being taken: it goes back. */
static bool run_without_a_name(void)
{
	struct kp_request req = { .frames = 200 * GIB, .align = 1, .owner = 1, .name = "x" };
	struct kp_alloc a = { .req = &req };
	struct region r;
	char name[16];
	u64 frame;
	int ret;

	region_init(&r, 0, 200 * GIB, 2);
	CHECK_EQ(kp_index_alloc(&r.idx, r.idx.pcpu, &a), -EAGAIN);
	CHECK(r.idx.area[0].whole);
	for (u32 i = 0; i < r.idx.nr_names; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		CHECK_EQ(get(&r, 1, 1, 2, name, &frame), 0);
		/* All of them at the far end, which is not yet taken. */
		CHECK(frame >= 199 * GIB);
	}
	do
		ret = kp_index_alloc(&r.idx, r.idx.pcpu + 1, &a);
	while (ret == -EAGAIN);
	CHECK_EQ(ret, -ENOSPC);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(get(&r, 199 * GIB, 1, 1, NULL, &frame), 0);
	region_exit(&r);
	return true;
}

/* Many areas, with a first and a last one of a single block, and every name in use. */
static bool odd_geometry(void)
{
	static const struct { u64 lead, areas, tail; } shapes[] = {
		{ 511, 64, 1 }, { 0, 64, 1 }, { 511, 65, 0 }, { 1, 130, 511 }, { 511, 1, 1 },
		{ 511, 0, 1 }, { 0, 128, 0 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(shapes); i++) {
		u64 base = GIB + shapes[i].lead * MIB2, nr = 0, wanted, frame, csum, *at;
		struct region r;
		char name[32];

		r.frames = (shapes[i].lead ? 512 - shapes[i].lead : 0) * MIB2 +
			   shapes[i].areas * GIB + shapes[i].tail * MIB2;
		region_init(&r, base, r.frames, 2);
		at = calloc(r.idx.nr_blocks + 1, sizeof(*at));
		CHECK_EQ(r.idx.nr_areas, !!shapes[i].lead + shapes[i].areas + !!shapes[i].tail);
		/* An aligned GiB each, and blocks for the rest; names as long as there are. */
		wanted = shapes[i].areas;
		for (u64 a = 0; a < wanted; a++, nr++) {
			snprintf(name, sizeof(name), "a%llu", (unsigned long long)a);
			CHECK_EQ(get(&r, GIB, GIB, 1, name, &at[nr]), 0);
			CHECK_EQ((at[nr] + base) % GIB, 0);
		}
		CHECK_EQ(get(&r, GIB, GIB, 1, NULL, &frame), -ENOMEM);
		for (wanted = nr; !get(&r, MIB2, 1, 2, NULL, &at[nr]); nr++)
			;
		CHECK_EQ(nr - wanted, (shapes[i].lead ? 512 - shapes[i].lead : 0) + shapes[i].tail);
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		CHECK(kp_index_seal(&r.idx, &csum, 1));
		CHECK_EQ(region_restore(&r, &csum), 0);
		CHECK_EQ(kp_index_extents(&r.idx), nr);
		for (u64 n = 0; n < nr; n++)
			CHECK_EQ(put(&r, at[n], n < wanted ? GIB : MIB2, n < wanted ? 1 : 2), 0);
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		/* Every name, and over a kexec */
		for (u32 n = 0; n < r.idx.nr_names; n++) {
			snprintf(name, sizeof(name), "n%u", n);
			CHECK_EQ(get(&r, 1, 1, 1, name, &frame), 0);
		}
		CHECK_EQ(get(&r, 1, 1, 1, "more", &frame), -ENOSPC);
		CHECK(kp_index_seal(&r.idx, &csum, 1));
		CHECK_EQ(region_restore(&r, &csum), 0);
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		CHECK_EQ(get(&r, 1, 1, 1, "more", &frame), -ENOSPC);
		for (u32 n = 0; n < r.idx.nr_names; n++) {
			snprintf(name, sizeof(name), "n%u", n);
			CHECK_EQ(kp_name_find(&r.idx, name, &frame), 0);
			CHECK_EQ(put(&r, frame, 1, 1), 0);
		}
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		CHECK_EQ(get(&r, r.frames, 1, 1, NULL, &frame), 0);
		free(at);
		region_exit(&r);
	}
	return true;
}

/* What the format cannot hold is no region. */
static bool largest_region(void)
{
	u64 most = ((1ULL << 31) - 1) * MIB2;

	CHECK(kp_index_size(0, most));
	CHECK_EQ(kp_index_size(0, most + MIB2), 0);
	CHECK_EQ(kp_index_size_table(0, most + MIB2), 0);
	CHECK_EQ(kp_index_size(0 - 2 * MIB2, 2 * MIB2), 0);
	CHECK(kp_index_size(0 - 2 * MIB2, MIB2));
	return true;
}

/* Large extents that nobody wants any more: all of them is given back. */
static bool dropped(void)
{
	static const u64 sizes[] = { MIB2, 3 * MIB2, GIB, 70 * GIB };
	struct region r;
	u64 frame;

	region_init(&r, GIB / 2, 80 * GIB, 1);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct kp_request req = {
			.frames = sizes[i], .align = 1, .owner = 1, .clear = true,
			.name = i & 1 ? "name" : NULL,
		};
		struct kp_alloc a = { .req = &req };
		struct kp_rest rest;
		int ret;

		do
			ret = kp_index_alloc(&r.idx, r.idx.pcpu, &a);
		while (ret == -EAGAIN);
		CHECK_EQ(ret, 0);
		CHECK(a.unconfirmed);
		kp_index_drop(&r.idx, r.idx.pcpu, &a, &rest);
		whole_rest(&r.idx, r.idx.pcpu, &rest);
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		CHECK_EQ(kp_index_extents(&r.idx), 0);
		CHECK_EQ(kp_name_find(&r.idx, "name", &frame), -ENOENT);
		CHECK_EQ(get(&r, 80 * GIB, 1, 1, NULL, &frame), 0);
		CHECK_EQ(put(&r, frame, 80 * GIB, 1), 0);
	}
	region_exit(&r);
	return true;
}

/* Less than a block, aligned to more than one */
static bool small_and_aligned(void)
{
	struct region r;
	u64 frame;

	region_init(&r, GIB + 8 * MIB2, 64 * MIB2, 1);
	for (u64 f = 0; f < r.frames; f++)
		CHECK_EQ(get(&r, 1, 1, 1, NULL, &frame), 0);
	for (u64 f = 0; f < r.frames; f += MIB2)
		CHECK_EQ(put(&r, f, 1, 1), 0);
	for (u64 align = GIB; align > MIB2; align /= 2) {
		u64 first = ALIGN(r.base, align) - r.base;

		CHECK_EQ(get(&r, 1, align, 2, NULL, &frame), -ENOMEM);
		CHECK_EQ(get(&r, 2, align, 1, NULL, &frame), -ENOMEM);
		CHECK_EQ(get(&r, 1, align, 1, NULL, &frame), first < r.frames ? 0 : -ENOMEM);
		if (first >= r.frames)
			continue;
		CHECK_EQ((r.base + frame) % align, 0);
		CHECK_EQ(put(&r, frame, 1, 1), 0);
	}
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	region_exit(&r);
	return true;
}

static void *unseal(void *data)
{
	struct kp_index *idx = data;

	whole_unseal(idx, &idx->pcpu[1]);
	return NULL;
}

/*
 * A kp_index_confirm() has seen that the index is sealed, and leaves its mark when
 * that is over: it holds the lock.
 */
static bool confirmed_while_unsealed(void)
{
	struct kp_request req = { .frames = MIB2, .align = 1, .owner = 1, .clear = true };
	struct kp_area *area;
	struct region r;
	pthread_t thread;
	u64 frame, csum;

	region_init(&r, 0, GIB, 2);
	CHECK_EQ(whole_alloc(&r.idx, r.idx.pcpu, &req, &frame), 0);
	CHECK(kp_index_seal(&r.idx, &csum, 1));
	area = &r.idx.area[0];
	raw_spin_lock(&area->lock);
	pthread_create(&thread, NULL, unseal, &r.idx);
	while (READ_ONCE(r.idx.sealed))
		cpu_relax();
	usleep(10000);
	kp_set_bits(area->unclaimed, frame / MIB2, 1);
	raw_spin_unlock(&area->lock);
	pthread_join(thread, NULL);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(get(&r, GIB, 1, 1, NULL, &frame), 0);
	region_exit(&r);
	return true;
}

/* Small memory is cleared before its extent exists. */
static bool small_is_cleared(void)
{
	struct kp_request req = { .frames = 3, .align = 1, .owner = 1, .clear = true };
	struct region r;
	u64 frame;
	u8 *mem;

	region_init(&r, 64 * MIB2, 64 * MIB2, 1);
	mem = pages(r.frames << SHIFT);
	r.idx.mem = mem;
	memset(mem, 0x5a, 4 * MIB2 << SHIFT);
	memset(mem + ((r.frames - MIB2) << SHIFT), 0x5a, MIB2 << SHIFT);
	CHECK_EQ(whole_alloc(&r.idx, &r.idx.pcpu[0], &req, &frame), 0);
	CHECK(!memchr_inv(mem + (frame << SHIFT), 0, 3 << SHIFT));
	munmap(mem, r.frames << SHIFT);
	region_exit(&r);
	return true;
}

static int claim(struct region *r, u64 frame, u64 frames, u8 owner)
{
	return kp_index_claim(&r->idx, r->idx.pcpu, frame, frames, owner);
}

static bool claims(void)
{
	struct kp_extent ext;
	struct region r;
	u64 a, b, c, d, csum;

	region_init(&r, GIB, 3 * GIB, 2);
	CHECK_EQ(get(&r, 1, 1, 1, NULL, &a), 0);
	CHECK_EQ(get(&r, 2, 1, 1, NULL, &b), 0);
	CHECK_EQ(get(&r, 7 * MIB2, 1, 2, "seven", &c), 0);
	CHECK_EQ(get(&r, 2 * GIB, 1, 2, NULL, &d), 0);
	CHECK(kp_index_seal(&r.idx, &csum, 100));
	CHECK_EQ(region_restore(&r, &csum), 0);
	CHECK_EQ(r.idx.pcpu[0].unclaimed, 4);
	/* New extents stay out of blocks whose owner is not back. */
	CHECK_EQ(get(&r, 1, 1, 1, NULL, &a), 0);
	CHECK(a / MIB2 != b / MIB2);
	CHECK_EQ(claim(&r, a, 1, 1), -EALREADY);
	CHECK_EQ(kp_index_claim(&r.idx, &r.idx.pcpu[1], b, 2, 1), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(claim(&r, c, 6 * MIB2, 2), -EINVAL);
	CHECK_EQ(claim(&r, c, 7 * MIB2, 1), -EINVAL);
	CHECK_EQ(claim(&r, c, 7 * MIB2, 2), 0);
	CHECK_EQ(whole_release(&r.idx, &r.idx.pcpu[0], c, 7 * MIB2, 2), -EBUSY);
	CHECK_EQ(claim(&r, c, 7 * MIB2, 2), -EALREADY);
	CHECK_EQ(claim(&r, c + 1, 7 * MIB2, 2), -ENOENT);
	CHECK_EQ(claim(&r, r.frames, 1, 2), -EINVAL);
	CHECK_EQ(kp_index_find(&r.idx, r.frames, &ext), -EINVAL);
	CHECK_EQ(kp_owner_set(&r.idx, r.idx.pcpu, 2, "another"), -EEXIST);
	CHECK_EQ(kp_index_find(&r.idx, d, &ext), 0);
	CHECK(ext.unclaimed);
	CHECK_EQ(put(&r, d, 2 * GIB, 2), 0);
	CHECK_EQ(r.idx.pcpu[0].unclaimed + r.idx.pcpu[1].unclaimed, 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	region_exit(&r);
	return true;
}

/* Small extents with names: each by itself, though they are in one block. */
static bool claims_by_name(void)
{
	struct kp_extent ext;
	u64 a, b, c, other, csum;
	struct region r;

	region_init(&r, GIB, 3 * GIB, 1);
	CHECK_EQ(get(&r, 1, 1, 1, "a", &a), 0);
	CHECK_EQ(get(&r, 2, 1, 1, "b", &b), 0);
	CHECK_EQ(get(&r, 3, 1, 1, "c", &c), 0);
	CHECK(a / MIB2 == b / MIB2 && a / MIB2 == c / MIB2);
	CHECK(kp_index_seal(&r.idx, &csum, 1));
	CHECK_EQ(region_restore(&r, &csum), 0);
	CHECK_EQ(claim(&r, a, 1, 1), 0);
	CHECK_EQ(claim(&r, a, 1, 1), -EALREADY);
	CHECK_EQ(kp_index_find(&r.idx, a, &ext), 0);
	CHECK(!ext.unclaimed);
	CHECK_EQ(kp_index_find(&r.idx, b, &ext), 0);
	CHECK(ext.unclaimed);
	CHECK_EQ(r.idx.pcpu[0].unclaimed, 2);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(whole_release(&r.idx, r.idx.pcpu, a, 1, 1), -EBUSY);
	/* Nobody shares the block as long as one of them is not claimed. */
	CHECK_EQ(get(&r, 1, 1, 1, "d", &other), 0);
	CHECK(other / MIB2 != a / MIB2);
	CHECK_EQ(put(&r, other, 1, 1), 0);
	CHECK_EQ(claim(&r, b, 2, 1), 0);
	CHECK_EQ(whole_release(&r.idx, r.idx.pcpu, c, 3, 1), 0);
	CHECK_EQ(r.idx.pcpu[0].unclaimed, 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(get(&r, 1, 1, 1, "d", &other), 0);
	CHECK_EQ(other / MIB2, a / MIB2);
	CHECK(kp_index_seal(&r.idx, &csum, 1));
	CHECK_EQ(region_restore(&r, &csum), 0);
	CHECK_EQ(claim(&r, a, 1, 1), 0);
	CHECK_EQ(claim(&r, b, 2, 1), 0);
	CHECK_EQ(claim(&r, other, 1, 1), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(get(&r, 1, 1, 1, "e", &other), 0);
	CHECK_EQ(other / MIB2, a / MIB2);
	region_exit(&r);
	return true;
}

/* Walking sees each extent once, in order, whatever came before it. */
static bool walk(void)
{
	struct kp_request clearing = {
		.frames = 3 * MIB2, .align = 1, .owner = 1, .clear = true,
	};
	struct kp_extent ext;
	struct region r;
	u64 frame, pos = 0, nr = 0, last = 0;

	region_init(&r, GIB + 100 * MIB2, 12 * GIB, 1);
	for (u64 i = 1; i < 200; i++)
		CHECK_EQ(get(&r, i % 5 ? i : i * 300, 1, 1 + i % 2, i % 11 ? NULL : "x", &frame),
			 0);
	CHECK_EQ(get(&r, 2 * GIB + 5, 1, 1, NULL, &frame), 0);
	while (whole_next(&r.idx, &pos, &ext)) {
		CHECK(!nr || ext.frame >= last);
		last = ext.frame + ext.frames;
		nr++;
	}
	CHECK_EQ(nr, 200);
	region_exit(&r);

	/* One that is still being cleared is passed over. */
	region_init(&r, GIB, GIB, 1);
	CHECK_EQ(whole_alloc(&r.idx, r.idx.pcpu, &clearing, &frame), 0);
	CHECK_EQ(get(&r, 1, 1, 1, NULL, &frame), 0);
	pos = 0;
	CHECK(whole_next(&r.idx, &pos, &ext));
	CHECK_EQ(ext.frame, frame);
	CHECK(!whole_next(&r.idx, &pos, &ext));
	region_exit(&r);
	return true;
}

/* Has the word at this offset a meaning?  The format's header says which have. */
static bool has_meaning(const struct kp_index *idx, u64 word)
{
	const u8 *p = (const u8 *)idx->header + word;

	if (p < (const u8 *)idx->owners)
		return word < offsetof(struct kho_pool_index_header, bad);
	if (p < (const u8 *)(idx->areas + idx->nr_areas))
		return true;
	if (p >= (const u8 *)idx->blocks && p < (const u8 *)(idx->blocks + idx->nr_blocks)) {
		u32 block = ((__le64 *)p - idx->blocks);

		return le64_to_cpu(idx->areas[kp_area_of(idx, block)]) == KHO_POOL_SPLIT;
	}
	if (p >= (const u8 *)idx->names && p < (const u8 *)(idx->names + idx->nr_names))
		return p < (const u8 *)(idx->names + le64_to_cpu(idx->header->names_used));
	if (p >= (const u8 *)idx->bitmaps && p < (const u8 *)(idx->bitmaps + idx->nr_blocks)) {
		u32 block = (p - (const u8 *)idx->bitmaps) / sizeof(*idx->bitmaps);

		return has_meaning(idx, (u8 *)&idx->blocks[block] - (u8 *)idx->header) &&
		       kp_word_kind(le64_to_cpu(idx->blocks[block])) == KHO_POOL_SPLIT;
	}
	return false;
}

/* Every bit of every word with a meaning, changed one byte at a time. */
static bool every_byte_flipped(void)
{
	struct region r;
	u64 frame, csum;
	struct kp_index sealed;
	u32 flips = 0;
	u8 *copy;

	region_init(&r, GIB - 64 * MIB2, GIB + 128 * MIB2, 1);
	CHECK_EQ(get(&r, 1, 1, 1, NULL, &frame), 0);
	CHECK_EQ(get(&r, 100, 1, 2, "small", &frame), 0);
	CHECK_EQ(get(&r, 7 * MIB2 + 3, 1, 1, "middle", &frame), 0);
	CHECK_EQ(get(&r, GIB, GIB, 2, NULL, &frame), 0);
	CHECK(kp_index_seal(&r.idx, &csum, 100));
	sealed = r.idx;
	copy = malloc(r.index_size);
	memcpy(copy, r.index, r.index_size);
	for (u64 i = 0; i < r.index_size; i++) {
		u64 word = i / 8 * 8;
		bool meaning = has_meaning(&sealed, word);

		for (int bit = 0; bit < 8; bit++) {
			int ret;

			if (bit && i % 8)
				continue;
			((u8 *)r.index)[i] ^= bit ? 1 << bit : 0xff;
			ret = region_restore(&r, &csum);
			((u8 *)r.index)[i] ^= bit ? 1 << bit : 0xff;
			CHECK_EQ(ret != 0, meaning);
			/* Nothing was written. */
			CHECK(!memcmp(copy, r.index, r.index_size));
			flips++;
		}
		/* The words without a meaning are most of it; sample those. */
		if (!meaning && i % 8 == 7 && word > 256)
			i += 8 * 61;
	}
	CHECK(flips > 5000);
	CHECK_EQ(region_restore(&r, &csum), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(kp_index_extents(&r.idx), 4);
	free(copy);
	region_exit(&r);
	return true;
}

static bool assigned(void)
{
	struct kp_extent ext;
	struct region r;
	u64 a, b, c, csum;

	region_init(&r, 0, 3 * GIB, 1);
	CHECK_EQ(get(&r, 3, 1, 1, NULL, &a), 0);
	CHECK_EQ(get(&r, MIB2, 1, 1, "block", &b), 0);
	CHECK_EQ(get(&r, GIB, GIB, 1, "area", &c), 0);
	CHECK_EQ(kp_owner_set(&r.idx, r.idx.pcpu, 63, "last"), 0);
	csum = kp_index_csum(&r.idx);
	CHECK_EQ(kp_index_assign(&r.idx, r.idx.pcpu, b, MIB2, 1, 0), -EINVAL);
	CHECK_EQ(kp_index_assign(&r.idx, r.idx.pcpu, b, MIB2, 1, 64), -EINVAL);
	CHECK_EQ(kp_index_assign(&r.idx, r.idx.pcpu, a, 3, 1, 2), -EINVAL);
	CHECK_EQ(kp_index_assign(&r.idx, r.idx.pcpu, b, MIB2, 2, 3), -EINVAL);
	CHECK_EQ(kp_index_assign(&r.idx, r.idx.pcpu, b, 2 * MIB2, 1, 2), -EINVAL);
	CHECK_EQ(kp_index_assign(&r.idx, r.idx.pcpu, b + 1, MIB2, 1, 2), -ENOENT);
	CHECK_EQ(kp_index_assign(&r.idx, r.idx.pcpu, r.frames, MIB2, 1, 2), -EINVAL);
	CHECK(csum == kp_index_csum(&r.idx));
	CHECK_EQ(kp_index_assign(&r.idx, r.idx.pcpu, b, MIB2, 1, 2), 0);
	CHECK_EQ(kp_index_assign(&r.idx, r.idx.pcpu, c, GIB, 1, 63), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	for (int again = 0; again < 2; again++) {
		CHECK_EQ(kp_index_find(&r.idx, b, &ext), 0);
		CHECK(ext.owner == 2 && ext.frames == MIB2 && !strcmp(ext.name, "block"));
		CHECK_EQ(kp_index_find(&r.idx, c, &ext), 0);
		CHECK(ext.owner == 63 && ext.frames == GIB && !strcmp(ext.name, "area"));
		CHECK_EQ(region_restore(&r, NULL), 0);
	}
	CHECK_EQ(put(&r, b, MIB2, 1), -EINVAL);
	CHECK_EQ(put(&r, b, MIB2, 2), 0);
	CHECK_EQ(put(&r, c, GIB, 63), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	region_exit(&r);
	return true;
}

static u64 bad_frames(struct region *r)
{
	u64 nr = 0;

	for (u64 frame = 0; kp_bad_next(&r->idx, &frame); frame++)
		nr++;
	return nr;
}

/* Allocate everything in pieces of @frames; false if one has the bad frame. */
static bool take_all_but(struct region *r, u64 frames, u64 bad, u64 *nr)
{
	u64 frame;

	for (*nr = 0; !get(r, frames, 1, 2, NULL, &frame); ++*nr)
		if (bad >= frame && bad < frame + frames)
			return false;
	return true;
}

/* A free frame goes bad: it is not allocated, in this kernel and in later ones. */
static bool bad_and_free(void)
{
	static const u64 sizes[] = { 1, 7, 511, MIB2, 3 * MIB2, 100 * MIB2 };

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		u64 bad = GIB + 5 * MIB2 + 77, csum, nr, before;
		struct kp_stat stat = {};
		struct region r;

		region_init(&r, GIB - 8 * MIB2, 3 * GIB, 1);
		csum = kp_index_csum(&r.idx);
		CHECK_EQ(kp_index_bad(&r.idx, r.frames), -EINVAL);
		CHECK_EQ(kp_index_bad(&r.idx, bad), 0);
		CHECK_EQ(kp_index_bad(&r.idx, bad), 0);
		CHECK_EQ(bad_frames(&r), 1);
		/* It is in no sum. */
		CHECK(csum == kp_index_csum(&r.idx));
		count_free(&r.idx, &stat);
		CHECK_EQ(stat.free_frames, r.frames - MIB2);
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		CHECK_EQ(get(&r, r.frames, 1, 1, NULL, &nr), -ENOMEM);
		CHECK(take_all_but(&r, sizes[i], bad, &before));
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		for (u64 pos = 0; pos < r.frames;) {
			struct kp_extent ext;

			if (!whole_next(&r.idx, &pos, &ext))
				break;
			CHECK_EQ(put(&r, ext.frame, ext.frames, 2), 0);
		}
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		CHECK(kp_index_seal(&r.idx, &csum, 1));
		CHECK_EQ(region_restore(&r, &csum), 0);
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		CHECK_EQ(bad_frames(&r), 1);
		CHECK(take_all_but(&r, sizes[i], bad, &nr));
		CHECK_EQ(nr, before);
		region_exit(&r);
	}
	return true;
}

/* Four frames in a row, reported in any order and repeatedly: each counts once. */
static bool bad_once_each(void)
{
	for (u32 order = 0; order < 1 << 12; order++) {
		bool is[4] = {};
		struct region r;
		u64 nr = 0;

		region_init(&r, 0, MIB2, 1);
		for (u32 i = 0; i < 6; i++) {
			u32 frame = order >> 2 * i & 3;

			nr += !is[frame];
			is[frame] = true;
			CHECK_EQ(kp_index_bad(&r.idx, 100 + frame), 0);
			CHECK_EQ(r.idx.nr_bad_frames, nr);
		}
		CHECK_EQ(bad_frames(&r), nr);
		CHECK_EQ(region_restore(&r, NULL), 0);
		CHECK_EQ(r.idx.nr_bad_frames, nr);
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		region_exit(&r);
	}
	return true;
}

/* One in an extent: the extent keeps it, and then it is not allocated. */
static bool bad_and_taken(void)
{
	static const u64 sizes[] = { 3, 511, MIB2, 3 * MIB2 + 5, GIB, GIB + 3 * MIB2 };

	for (u32 i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
		u64 frames = sizes[i / 2], frame, bad, csum, nr, next;
		struct kp_extent ext;
		struct region r;

		(i & 1 ? region_init_table : region_init)(&r, 2 * GIB, 4 * GIB, 1);
		CHECK_EQ(get(&r, frames, frames == GIB ? GIB : 1, 1, "has it", &frame), 0);
		bad = frame + frames - 1;
		CHECK_EQ(kp_index_bad(&r.idx, bad), 0);
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		for (int again = 0; again < 2; again++) {
			CHECK_EQ(kp_index_find(&r.idx, frame, &ext), 0);
			CHECK(ext.frames == frames && !strcmp(ext.name, "has it"));
			next = frame;
			CHECK(kp_bad_next(&r.idx, &next));
			CHECK_EQ(next, bad);
			CHECK(kp_index_seal(&r.idx, &csum, 1));
			CHECK_EQ(region_restore(&r, &csum), 0);
			CHECK_EQ(kp_index_validate(&r.idx), 0);
		}
		CHECK_EQ(claim(&r, frame, frames, 1), 0);
		/* No new ones in its block. */
		CHECK_EQ(get(&r, 1, 1, 1, "new", &next), 0);
		CHECK(next / MIB2 != bad / MIB2);
		CHECK_EQ(put(&r, next, 1, 1), 0);
		CHECK_EQ(put(&r, frame, frames, 1), 0);
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		CHECK(take_all_but(&r, MIB2, bad, &nr));
		CHECK_EQ(nr, r.frames / MIB2 - 1);
		CHECK(take_all_but(&r, 1, bad, &nr));
		CHECK_EQ(nr, 0);
		CHECK_EQ(kp_index_validate(&r.idx), 0);
		region_exit(&r);
	}
	return true;
}

/* A word is a run of frames; when all are in use, nothing more is allocated. */
static bool many_bad(struct region *r)
{
	u64 frame, kept, csum, words = r->idx.nr_bad_words;

	CHECK_EQ(get(r, 5 * MIB2, 1, 1, "kept", &kept), 0);
	CHECK_EQ(get(r, 3, 1, 1, NULL, &frame), 0);
	for (u64 i = 0; i < MIB2; i++)
		CHECK_EQ(kp_index_bad(&r->idx, 7 * MIB2 + (i & 1 ? MIB2 / 2 + i / 2 :
							   MIB2 / 2 - 1 - i / 2)), 0);
	CHECK_EQ(bad_frames(r), MIB2);
	CHECK_EQ(r->idx.nr_bad, 1);
	/* After the seal it works as well. */
	CHECK(kp_index_seal(&r->idx, &csum, 1));
	for (u64 i = 1; i < words - 1; i++)
		CHECK_EQ(kp_index_bad(&r->idx, (10 + 3 * i) * MIB2 + i % MIB2), 0);
	CHECK_EQ(region_restore(r, &csum), 0);
	CHECK_EQ(bad_frames(r), MIB2 + words - 2);
	CHECK_EQ(kp_index_validate(&r->idx), 0);
	CHECK_EQ(get(r, MIB2, 1, 1, NULL, &frame), 0);
	CHECK_EQ(put(r, frame, MIB2, 1), 0);
	CHECK_EQ(kp_index_bad(&r->idx, 100 * MIB2 + 1), -ENOSPC);
	CHECK_EQ(kp_index_bad(&r->idx, 101 * MIB2 + 1), -ENOSPC);
	for (int again = 0; again < 2; again++) {
		struct kp_stat stat = {};

		CHECK_EQ(bad_frames(r), MIB2 + words - 2);
		CHECK_EQ(kp_index_validate(&r->idx), 0);
		for (u64 frames = 1; frames < GIB; frames = 3 * frames / 2 + 1)
			CHECK_EQ(get(r, frames, 1, 1, NULL, &frame), -ENOMEM);
		count_free(&r->idx, &stat);
		CHECK_EQ(stat.free_frames, 0);
		CHECK_EQ(stat.largest, 0);
		CHECK_EQ(kp_name_find(&r->idx, "kept", &frame), 0);
		CHECK_EQ(frame, kept);
		CHECK(kp_index_seal(&r->idx, &csum, 1));
		CHECK_EQ(region_restore(r, &csum), 0);
	}
	CHECK_EQ(put(r, kept, 5 * MIB2, 1), 0);
	CHECK_EQ(kp_index_validate(&r->idx), 0);
	CHECK_EQ(get(r, 1, 1, 1, NULL, &frame), -ENOMEM);
	region_exit(r);
	return true;
}

static bool bad_and_many(void)
{
	struct region r;

	region_init(&r, GIB, 2 * GIB, 1);
	CHECK_EQ(r.idx.nr_bad_words, KHO_POOL_BAD_WORDS);
	return many_bad(&r);
}

/* The table grows with the region. */
static bool bad_and_table(void)
{
	struct region r;

	region_init_table(&r, GIB, 512 * MIB2, 1);
	CHECK_EQ(r.idx.nr_bad_words, 512);
	region_exit(&r);
	region_init_table(&r, GIB, 64 * GIB, 1);
	CHECK_EQ(r.idx.nr_bad_words, 1536);
	CHECK_EQ(r.index_size, kp_index_size(GIB, 64 * GIB) + 1536 * 8);
	return many_bad(&r);
}

/* An invalid word hides a frame: nothing is allocated then. */
static bool damaged_bad(struct region *r)
{
	u64 frame, csum, flips = 0;
	__le64 *words;

	CHECK_EQ(get(r, MIB2, 1, 1, "kept", &frame), 0);
	CHECK_EQ(kp_index_bad(&r->idx, 10 * MIB2 + 3), 0);
	CHECK(kp_index_seal(&r->idx, &csum, 1));
	words = r->idx.bad;
	for (u32 i = 0; i < 64; i++) {
		words[0] ^= cpu_to_le64(1ULL << i);
		CHECK_EQ(region_restore(r, &csum), 0);
		CHECK_EQ(kp_index_validate(&r->idx), 0);
		flips += get(r, 1, 1, 1, NULL, &frame) == -ENOMEM;
		CHECK_EQ(kp_name_find(&r->idx, "kept", &frame), 0);
		words[0] ^= cpu_to_le64(1ULL << i);
	}
	CHECK_EQ(flips, 64);
	CHECK_EQ(region_restore(r, &csum), 0);
	CHECK_EQ(get(r, 1, 1, 1, NULL, &frame), 0);
	region_exit(r);
	return true;
}

static bool bad_and_damaged(void)
{
	struct region r;

	region_init(&r, GIB, 64 * MIB2, 1);
	if (!damaged_bad(&r))
		return false;
	region_init_table(&r, GIB, 64 * MIB2, 1);
	if (!damaged_bad(&r))
		return false;

	/* Who may only read takes it out of use, and writes nothing. */
	region_init(&r, GIB, 64 * MIB2, 1);
	r.idx.read_only = true;
	CHECK_EQ(kp_index_bad(&r.idx, 5), -EROFS);
	CHECK_EQ(bad_frames(&r), 0);
	region_exit(&r);
	return true;
}

/*
 * The last word is for "too many".  If a frame stands there, it is known, and nothing is
 * allocated; what else goes bad gets a word of its own as long as there is one.
 */
static bool bad_in_last(void)
{
	u64 csum, frame = 5 * MIB2 + 7;
	struct region r;
	u32 last;

	region_init(&r, GIB, 64 * MIB2, 1);
	last = r.idx.nr_bad_words - 1;
	CHECK_EQ(kp_index_bad(&r.idx, frame), 0);
	CHECK(kp_index_seal(&r.idx, &csum, 1));
	r.idx.bad[last] = r.idx.bad[0];
	r.idx.bad[0] = 0;
	CHECK_EQ(region_restore(&r, &csum), 0);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(bad_frames(&r), 1);
	CHECK_EQ(get(&r, 1, 1, 1, NULL, &(u64){ 0 }), -ENOMEM);
	for (u32 i = 0; i < last; i++)
		CHECK_EQ(kp_index_bad(&r.idx, frame + 1 + 2 * i), 0);
	CHECK_EQ(bad_frames(&r), 1 + last);
	CHECK_EQ(kp_index_bad(&r.idx, 20 * MIB2), -ENOSPC);
	CHECK_EQ(bad_frames(&r), 1 + last);
	CHECK_EQ(kp_index_validate(&r.idx), 0);
	CHECK_EQ(region_restore(&r, &csum), 0);
	CHECK_EQ(bad_frames(&r), 1 + last);
	region_exit(&r);
	return true;
}

/* An index of nothing but 1 GiB extents reads and writes little. */
static bool sizes(void)
{
	u64 tib = 1024 * GIB;

	CHECK(kp_index_size(0, tib) <= (tib << SHIFT) / 10000);
	CHECK(kp_index_size(0, 16 * tib) <= (16 * tib << SHIFT) / 10000);
	CHECK_EQ(kp_index_size(0, 0), 0);
	CHECK_EQ(kp_index_size(1, MIB2), 0);
	CHECK_EQ(kp_index_size(0, MIB2 + 1), 0);
	CHECK_EQ(kp_index_size(~0ULL & ~511ULL, MIB2), 0);
	return true;
}

int main(void)
{
	static const struct test tests[] = {
		{ "sizes_and_alignments", sizes_and_alignments },
		{ "every_gigabyte", every_gigabyte },
		{ "every_frame", every_frame },
		{ "bad_frees_change_nothing", bad_frees_change_nothing },
		{ "bad_requests", bad_requests },
		{ "names", names },
		{ "names_chosen", names_chosen },
		{ "name_rule", name_rule },
		{ "sealed_says_no", sealed_says_no },
		{ "aligned_places_outside", aligned_places_outside },
		{ "late_and_long", late_and_long },
		{ "too_late_for_a_run", too_late_for_a_run },
		{ "bad_regions", bad_regions },
		{ "pending_is_dropped", pending_is_dropped },
		{ "reserved_frames", reserved_frames },
		{ "reserved_without_a_name", reserved_without_a_name },
		{ "run_without_a_name", run_without_a_name },
		{ "dropped", dropped },
		{ "odd_geometry", odd_geometry },
		{ "largest_region", largest_region },
		{ "small_and_aligned", small_and_aligned },
		{ "confirmed_while_unsealed", confirmed_while_unsealed },
		{ "small_is_cleared", small_is_cleared },
		{ "claims", claims },
		{ "claims_by_name", claims_by_name },
		{ "walk", walk },
		{ "every_byte_flipped", every_byte_flipped },
		{ "assigned", assigned },
		{ "bad_and_free", bad_and_free },
		{ "bad_once_each", bad_once_each },
		{ "bad_and_taken", bad_and_taken },
		{ "bad_and_many", bad_and_many },
		{ "bad_and_table", bad_and_table },
		{ "bad_and_damaged", bad_and_damaged },
		{ "bad_in_last", bad_in_last },
		{ "sizes", sizes },
	};

	return run_tests(tests, ARRAY_SIZE(tests));
}
