// SPDX-License-Identifier: GPL-2.0-only
/* KUnit tests of the record that a live update session keeps of an extent's file. */
#include <kunit/test.h>
#include <linux/crc32.h>
#include <linux/kho_pool.h>
#include <linux/string.h>

#include "luo_record.h"

/* Version 1, made by a program that was written from the header alone. */
static const u64 golden_1[] = {
	0x00030001554c504b, 0x0123456780000000, 0x0000001000200000, 0x00746c7561666564,
	0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x666f2d7473657567,
	0x657479622d35352d, 0x2e2e2e2e2e2e2e73, 0x2e2e2e2e2e2e2e2e, 0x68742e646e612e2e,
	0x74692e73692e7369, 0x00782e646e652e73, 0x030b5f4b00000000,
};

static const struct kho_pool_extent golden_extent = {
	.phys = 0x123456780000000,
	.size = 0x1000200000,
	.name = "guest-of-55-bytes.................and.this.is.its.end.x",
};

static void golden(struct kho_pool_luo_record *rec)
{
	__le64 words[ARRAY_SIZE(golden_1)];

	static_assert(sizeof(words) == sizeof(*rec));
	for (int i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = cpu_to_le64(golden_1[i]);
	memcpy(rec, words, sizeof(*rec));
}

static void luo_golden_record(struct kunit *test)
{
	struct kho_pool_luo_record rec, again;

	golden(&rec);
	KUNIT_EXPECT_EQ(test, kho_pool_luo_record_check(&rec), 0);
	KUNIT_EXPECT_EQ(test, le16_to_cpu(rec.access), KHO_POOL_LUO_READ | KHO_POOL_LUO_WRITE);
	KUNIT_EXPECT_STREQ(test, rec.pool, "default");
	KUNIT_EXPECT_STREQ(test, rec.name, golden_extent.name);

	memset(&again, 0xa5, sizeof(again));
	kho_pool_luo_record_set(&again, KHO_POOL_LUO_READ | KHO_POOL_LUO_WRITE, "default",
				&golden_extent);
	KUNIT_EXPECT_MEMEQ(test, &rec, &again, sizeof(rec));
}

static void luo_damaged_records(struct kunit *test)
{
	struct kho_pool_luo_record rec;
	u8 *bytes = (u8 *)&rec;

	golden(&rec);
	for (u32 bit = 0; bit < 8 * sizeof(rec); bit++) {
		bytes[bit / 8] ^= 1 << bit % 8;
		KUNIT_EXPECT_EQ_MSG(test, kho_pool_luo_record_check(&rec), -EBADMSG, "bit %u", bit);
		bytes[bit / 8] ^= 1 << bit % 8;
	}
}

/* What a later version or another writer may have left, with a correct check. */
static void luo_unknown_records(struct kunit *test)
{
	struct kho_pool_luo_record rec;

#define EXPECT(err, change) do {							\
	golden(&rec);								\
	change;										\
	rec.check = cpu_to_le32(crc32c(~0, &rec, offsetof(typeof(rec), check)));	\
	KUNIT_EXPECT_EQ_MSG(test, kho_pool_luo_record_check(&rec), err, #change);	\
} while (0)
	EXPECT(0, (void)0);
	EXPECT(0, rec.access = cpu_to_le16(KHO_POOL_LUO_READ));
	EXPECT(0, rec.access = cpu_to_le16(KHO_POOL_LUO_WRITE));
	EXPECT(-EOPNOTSUPP, rec.version = cpu_to_le16(2));
	EXPECT(-EOPNOTSUPP, rec.version = 0);
	EXPECT(-EBADMSG, rec.magic = 0);
	EXPECT(-EBADMSG, rec.access = 0);
	EXPECT(-EBADMSG, rec.access = cpu_to_le16(4));
	EXPECT(-EBADMSG, rec.reserved = cpu_to_le32(1));
	EXPECT(-EBADMSG, memset(rec.pool, 'p', sizeof(rec.pool)));
	EXPECT(-EBADMSG, memset(rec.name, 'n', sizeof(rec.name)));
#undef EXPECT
}

static struct kunit_case luo_cases[] = {
	KUNIT_CASE(luo_golden_record),
	KUNIT_CASE(luo_damaged_records),
	KUNIT_CASE(luo_unknown_records),
	{}
};

static struct kunit_suite luo_suite = {
	.name = "kho_pool_luo",
	.test_cases = luo_cases,
};

kunit_test_suite(luo_suite);
