// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of extents and of owners.
 *
 * Records are found by name and by frame, through two volatile hash tables
 * whose chains are numbers of records plus one.
 */
#include "internal.h"

/* isalnum() would also accept letters of Latin-1, or of a locale. */
static bool kp_valid_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

/**
 * kp_name_valid - may a new pool, extent or owner have this name?
 * @name: the name, or NULL, which is not valid
 * @size: bytes that there is room for, with the NUL
 *
 * Names consist of ASCII letters, digits, '-', '_' and '.', and do not begin with a
 * dot, because they are file names and words on command lines.
 *
 * Context: any.
 *
 * Return: true if it may.
 */
bool kp_name_valid(const char *name, u32 size)
{
	u32 len = 0;

	if (!name || !name[0] || name[0] == '.')
		return false;
	while (len < size && name[len])
		if (!kp_valid_char(name[len++]))
			return false;
	return len < size;
}

/* Never 0, which stands for an unused record. */
u32 kp_name_hash(const struct kp_index *idx, const char *name)
{
	return hsiphash(name, strlen(name), &idx->name_key) ?: 1;
}

static u64 kp_names_used(const struct kp_index *idx)
{
	return kp_load(&idx->header->names_used);
}

/* One of the two tables, and the bucket in it. */
static u32 *kp_bucket_by_name(const struct kp_index *idx, u32 hash)
{
	return &idx->by_name[hash & (idx->nr_buckets - 1)];
}

static u32 *kp_bucket_by_frame(const struct kp_index *idx, u64 key)
{
	return &idx->by_frame[(key * 0x9e3779b97f4a7c15ULL >> 32) & (idx->nr_buckets - 1)];
}

/* The record of the extent called @name, which has this hash, or nr_names. */
static u32 kp_record_called(const struct kp_index *idx, const char *name, u32 hash)
{
	for (u32 i = *kp_bucket_by_name(idx, hash); i; i = idx->link[i - 1].by_name)
		if (idx->link[i - 1].hash == hash && !strcmp(idx->names[i - 1].name, name))
			return i - 1;
	return idx->nr_names;
}

/* The record of the extent at @frame, or nr_names. */
static u32 kp_record_of(const struct kp_index *idx, u64 frame)
{
	for (u32 i = *kp_bucket_by_frame(idx, frame + 1); i; i = idx->link[i - 1].by_frame)
		if (kp_load(&idx->names[i - 1].key) == frame + 1)
			return i - 1;
	return idx->nr_names;
}

/* Put a record into the tables.  False if they have its name or its frame. */
bool kp_name_insert(struct kp_index *idx, u32 i)
{
	const struct kho_pool_name_record *record = &idx->names[i];
	u32 *name, *frame, hash = kp_name_hash(idx, record->name);
	u64 key = kp_load(&record->key);

	if (kp_record_called(idx, record->name, hash) < idx->nr_names ||
	    kp_record_of(idx, key - 1) < idx->nr_names)
		return false;
	idx->link[i].hash = hash;
	idx->link[i].claimed = false;
	set_bit(i, idx->records);
	name = kp_bucket_by_name(idx, hash);
	frame = kp_bucket_by_frame(idx, key);
	idx->link[i].by_name = *name;
	idx->link[i].by_frame = *frame;
	*name = i + 1;
	*frame = i + 1;
	return true;
}

static void kp_name_remove(struct kp_index *idx, u32 i)
{
	u32 *name = kp_bucket_by_name(idx, idx->link[i].hash);
	u32 *frame = kp_bucket_by_frame(idx, kp_load(&idx->names[i].key));

	while (*name != i + 1)
		name = &idx->link[*name - 1].by_name;
	*name = idx->link[i].by_name;
	while (*frame != i + 1)
		frame = &idx->link[*frame - 1].by_frame;
	*frame = idx->link[i].by_frame;
	idx->link[i].hash = 0;
	clear_bit(i, idx->records);
}

/* First frame of the extent called @name, or -ENOENT. */
int kp_name_find(struct kp_index *idx, const char *name, u64 *frame)
{
	u32 i, hash = kp_name_hash(idx, name);
	int ret = -ENOENT;

	raw_spin_lock(&idx->index_lock);
	i = kp_record_called(idx, name, hash);
	if (i < idx->nr_names) {
		*frame = kp_load(&idx->names[i].key) - 1;
		ret = 0;
	}
	raw_spin_unlock(&idx->index_lock);
	return ret;
}

/* Has the extent at @frame, which has a name, been claimed, or was it made in this kernel? */
bool *kp_name_claimed(const struct kp_index *idx, u64 frame)
{
	return &idx->link[kp_record_of(idx, frame)].claimed;
}

const char *kp_name_of(const struct kp_index *idx, u64 frame)
{
	u32 i = kp_record_of(idx, frame);

	return i < idx->nr_names ? idx->names[i].name : NULL;
}

/* An unused record, or idx->nr_names. */
u32 kp_name_unused(struct kp_index *idx)
{
	u32 used = kp_names_used(idx);

	idx->first_name = find_next_zero_bit(idx->records, used, idx->first_name);
	return idx->first_name;
}

void kp_name_write(struct kp_index *idx, struct kp_pcpu *pcpu, u32 i, u64 frame, const char *name)
{
	struct kho_pool_name_record record = { .key = cpu_to_le64(frame + 1) };

	strscpy(record.name, name, sizeof(record.name));
	if (i >= kp_names_used(idx)) {
		/* The old contents had no meaning and were in no checksum. */
		memset(&idx->names[i], 0, sizeof(idx->names[i]));
		kp_store(idx, pcpu, &idx->header->names_used, i + 1);
	}
	kp_store_words(idx, pcpu, &idx->names[i], &record, sizeof(record));
	kp_name_insert(idx, i);
	idx->link[i].claimed = true;
}

/* Without its key a record has no meaning, so the key is cleared first. */
void kp_name_clear(struct kp_index *idx, struct kp_pcpu *pcpu, u32 i)
{
	static const struct kho_pool_name_record none;

	kp_store(idx, pcpu, &idx->names[i].key, 0);
	kp_store_words(idx, pcpu, &idx->names[i], &none, sizeof(none));
}

void kp_name_erase(struct kp_index *idx, struct kp_pcpu *pcpu, u64 frame)
{
	u32 i = kp_record_of(idx, frame);

	if (i == idx->nr_names)
		return;
	kp_name_remove(idx, i);
	kp_name_clear(idx, pcpu, i);
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

/* The owner has no extent, and nobody allocates any as it: the slot is free. */
void kp_owner_clear(struct kp_index *idx, struct kp_pcpu *pcpu, u8 owner)
{
	static const struct kho_pool_owner_record none;

	kp_begin(pcpu);
	if (kp_lock_unless_sealed(idx, &idx->index_lock)) {
		/* Without its first bytes a record has no meaning, so they are cleared first. */
		kp_store(idx, pcpu, (__le64 *)&idx->owners[owner], 0);
		kp_store_words(idx, pcpu, &idx->owners[owner], &none, sizeof(none));
		raw_spin_unlock(&idx->index_lock);
	}
	kp_end(pcpu);
}

/* Write an owner's name into a free slot; writing the same again is fine. */
int kp_owner_set(struct kp_index *idx, struct kp_pcpu *pcpu, u8 owner, const char *name)
{
	struct kho_pool_owner_record record = {};
	int ret = 0;

	strscpy(record.name, name, sizeof(record.name));
	kp_begin(pcpu);
	if (!kp_lock_unless_sealed(idx, &idx->index_lock)) {
		ret = -ESHUTDOWN;
		goto out;
	}
	if (!idx->owners[owner].name[0])
		kp_store_words(idx, pcpu, &idx->owners[owner], &record, sizeof(record));
	else if (strncmp(idx->owners[owner].name, name, KHO_POOL_OWNER_MAX))
		ret = -EEXIST;
	raw_spin_unlock(&idx->index_lock);
out:
	kp_end(pcpu);
	return ret;
}
