// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of extents and of owners.
 *
 * Records are found by a volatile array of hashes, one word a record, which a
 * search of some thousand names reads in a few microseconds; names are not on
 * the path of an allocation without one.
 */
#include "internal.h"

/* FNV-1a; never 0, which stands for an unused record. */
u32 kp_name_hash(const char *name)
{
	u32 hash = 2166136261U;

	while (*name)
		hash = (hash ^ (u8)*name++) * 16777619U;
	return hash ?: 1;
}

static u64 names_used(const struct kp_index *idx)
{
	return kp_load(&idx->header->names_used);
}

/* First frame of the extent called @name, or -ENOENT. */
int kp_name_find(struct kp_index *idx, const char *name, u64 *frame)
{
	u32 hash = kp_name_hash(name);
	int ret = -ENOENT;

	raw_spin_lock(&idx->big);
	for (u32 i = 0; i < names_used(idx); i++) {
		if (idx->name_hash[i] != hash || strcmp(idx->names[i].name, name))
			continue;
		*frame = kp_load(&idx->names[i].key) - 1;
		ret = 0;
		break;
	}
	raw_spin_unlock(&idx->big);
	return ret;
}

/* The record of the extent at @frame, or names_used. */
static u32 record_of(const struct kp_index *idx, u64 frame)
{
	u64 used = names_used(idx);

	for (u32 i = 0; i < used; i++)
		if (kp_load(&idx->names[i].key) == frame + 1)
			return i;
	return used;
}

const char *kp_name_of(const struct kp_index *idx, u64 frame)
{
	u32 i = record_of(idx, frame);

	return i < names_used(idx) ? idx->names[i].name : NULL;
}

/* An unused record, or idx->nr_names. */
u32 kp_name_unused(struct kp_index *idx)
{
	u32 used = names_used(idx);

	while (idx->first_name < used && idx->name_hash[idx->first_name])
		idx->first_name++;
	return idx->first_name;
}

void kp_name_write(struct kp_index *idx, struct kp_lane *lane, u32 i, u64 frame, const char *name)
{
	struct kho_pool_name_record record = { .key = cpu_to_le64(frame + 1) };

	strscpy(record.name, name, sizeof(record.name));
	if (i >= names_used(idx)) {
		/* Whatever the memory held, it had no meaning and was in no sum. */
		memset(&idx->names[i], 0, sizeof(idx->names[i]));
		kp_store(idx, lane, &idx->header->names_used, i + 1);
	}
	kp_store_words(idx, lane, &idx->names[i], &record, sizeof(record));
	idx->name_hash[i] = kp_name_hash(name);
}

/* Without its key a record has no meaning, so that goes first. */
void kp_name_clear(struct kp_index *idx, struct kp_lane *lane, u32 i)
{
	static const struct kho_pool_name_record none;

	kp_store(idx, lane, &idx->names[i].key, 0);
	kp_store_words(idx, lane, &idx->names[i], &none, sizeof(none));
}

void kp_name_erase(struct kp_index *idx, struct kp_lane *lane, u64 frame)
{
	u32 i = record_of(idx, frame);

	if (i >= names_used(idx))
		return;
	kp_name_clear(idx, lane, i);
	idx->name_hash[i] = 0;
	idx->first_name = min(idx->first_name, i);
}

/* The slot of the owner called @name, or -ENOENT. */
int kp_owner_find(const struct kp_index *idx, const char *name)
{
	for (int i = 1; i < KHO_POOL_OWNERS; i++)
		if (!strncmp(idx->owners[i].name, name, KHO_POOL_OWNER_MAX))
			return i;
	return -ENOENT;
}

/* Write an owner's name into a free slot; writing the same again is fine. */
int kp_owner_set(struct kp_index *idx, struct kp_lane *lane, u8 owner, const char *name)
{
	struct kho_pool_owner_record record = {};
	int ret = 0;

	strscpy(record.name, name, sizeof(record.name));
	kp_begin(lane);
	if (!kp_lock_unless_sealed(idx, &idx->big)) {
		ret = -ESHUTDOWN;
		goto out;
	}
	if (!idx->owners[owner].name[0])
		kp_store_words(idx, lane, &idx->owners[owner], &record, sizeof(record));
	else if (strncmp(idx->owners[owner].name, name, KHO_POOL_OWNER_MAX))
		ret = -EEXIST;
	raw_spin_unlock(&idx->big);
out:
	kp_end(lane);
	return ret;
}
