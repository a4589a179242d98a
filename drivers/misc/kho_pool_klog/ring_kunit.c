// SPDX-License-Identifier: GPL-2.0-only
/* KUnit tests of the log's ring. */
#include <kunit/test.h>
#include <linux/random.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "ring.h"

#define SIZE	512
#define RING	(SIZE - sizeof(struct kho_pool_klog_header))

static const struct {
	u32 kernel;
	const char *text;
} lines[] = {
	{ 1, "Linux version" },
	{ 1, "" },
	{ 1, "a line of 40 bytes, which are five words" },
	{ 1, "the last words of kernel 1" },
	{ 2, "Linux version" },
	{ 2, "kernel 2 has 17 b" },
	{ 2, "this one ends 80 bytes before the ring does, which is not enough for" },
	{ 2, "this line: it goes to the beginning, over three lines of kernel 1" },
	{ 3, "x" },
};

/* Version 1: these lines, made by a program that was written from the header alone. */
static const u64 golden_1[SIZE / 8] = {
	0x31474f4c4b504b48, 0x0000000000000001, 0x00000000000001c0, 0x0000000000000000,
	0x0000000000000000, 0x0000000000000000, 0x0000000000000000, 0x50c4d490076e5ec8,
	0x00000000000001c0, 0xc1acce737e0848b6, 0x0000004100000002, 0x6e696c2073696874,
	0x6f67207469203a65, 0x6874206f74207365, 0x6e6e696765622065, 0x65766f202c676e69,
	0x2065657268742072, 0x666f2073656e696c, 0x206c656e72656b20, 0x6f20656e696c2031,
	0x0000000000000220, 0xd066693f89fbc37e, 0x0000000100000003, 0x7364726f77206578,
	0x0000000000000080, 0x5168da8698b6a657, 0x0000001a00000001, 0x7473616c20656874,
	0x6f207364726f7720, 0x6c656e72656b2066, 0x0000000000003120, 0x00000000000000b8,
	0x578f992386e6ea31, 0x0000000d00000002, 0x65762078756e694c, 0x0000006e6f697372,
	0x00000000000000e0, 0x9ae9b64072bc6003, 0x0000001100000002, 0x32206c656e72656b,
	0x2037312073616820, 0x0000000000000062, 0x0000000000000110, 0x6eff6e8f3c16b6a0,
	0x0000004400000002, 0x656e6f2073696874, 0x30382073646e6520, 0x6220736574796220,
	0x68742065726f6665, 0x6420676e69722065, 0x696877202c73656f, 0x6f6e207369206863,
	0x6867756f6e652074, 0x00000000726f6620, 0x0000000000000000, 0x0000000000000000,
};

static const char golden_1_text[] =
	"1 the last words of kernel 1\n"
	"2 Linux version\n"
	"2 kernel 2 has 17 b\n"
	"2 this one ends 80 bytes before the ring does, which is not enough for\n"
	"2 this line: it goes to the beginning, over three lines of kernel 1\n"
	"3 x\n";

static void *golden(struct kunit *test)
{
	__le64 *mem = kunit_kzalloc(test, SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mem);
	for (int i = 0; i < ARRAY_SIZE(golden_1); i++)
		mem[i] = cpu_to_le64(golden_1[i]);
	return mem;
}

/* The lines as text, NUL-terminated here */
static const char *text_of(struct kunit *test, const struct klog_ring *ring)
{
	char *buf = kunit_kzalloc(test, ring->size + 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_GE(test, klog_ring_text(ring, buf), 0);
	return buf;
}

static void ring_golden_read(struct kunit *test)
{
	void *mem = golden(test);
	struct klog_ring ring;

	KUNIT_EXPECT_TRUE(test, klog_ring_known(mem, SIZE));
	KUNIT_EXPECT_EQ(test, klog_ring_read(&ring, mem, SIZE), 6);
	KUNIT_EXPECT_EQ(test, ring.kernel, 3);
	KUNIT_EXPECT_EQ(test, ring.end, 576);
	KUNIT_EXPECT_FALSE(test, ring.torn);
	KUNIT_EXPECT_STREQ(test, text_of(test, &ring), golden_1_text);
}

/* Each kernel takes over what the previous one has written. */
static void ring_golden_written(struct kunit *test)
{
	void *mem = kunit_kzalloc(test, SIZE, GFP_KERNEL);
	struct klog_ring ring = {};

	KUNIT_ASSERT_NOT_NULL(test, mem);
	KUNIT_EXPECT_TRUE(test, klog_ring_empty(mem));
	klog_ring_format(mem, SIZE);
	KUNIT_EXPECT_FALSE(test, klog_ring_empty(mem));
	for (int i = 0; i < ARRAY_SIZE(lines); i++) {
		if (ring.kernel != lines[i].kernel) {
			KUNIT_ASSERT_GE(test, klog_ring_read(&ring, mem, SIZE), 0);
			ring.kernel++;
		}
		KUNIT_EXPECT_EQ(test, ring.kernel, lines[i].kernel);
		klog_ring_put(&ring, lines[i].text, strlen(lines[i].text));
	}
	KUNIT_EXPECT_MEMEQ(test, mem, golden(test), SIZE);
}

/*
 * Only the first bytes of the last line were written: all lines before it are there,
 * it is not, and the next line takes its place.
 */
static void ring_torn_lines(struct kunit *test)
{
	static const char whole[] = "a line that is torn somewhere";
	const u32 at = sizeof(struct kho_pool_klog_header) + 576 % RING;
	const u32 size = sizeof(struct kho_pool_klog_record) + strlen(whole);
	char *mem = golden(test), *written = golden(test);
	struct klog_ring ring, next;

	KUNIT_ASSERT_EQ(test, klog_ring_read(&ring, written, SIZE), 6);
	klog_ring_put(&ring, whole, strlen(whole));

	/* The check is written last: it is missing in all of these. */
	for (u32 n = 0; n <= size; n++) {
		memcpy(mem, golden(test), SIZE);
		memcpy(mem + at, written + at, n);
		memset(mem + at + offsetof(struct kho_pool_klog_record, check), 0, 8);
		KUNIT_ASSERT_EQ(test, klog_ring_read(&next, mem, SIZE), 5);
		KUNIT_EXPECT_EQ(test, next.end, 576);
		/* A position of which some bytes are missing is another position. */
		KUNIT_EXPECT_EQ_MSG(test, next.torn, n >= 2, "%u bytes", n);
		KUNIT_EXPECT_NOT_NULL(test, strstr(text_of(test, &next), "\n3 x\n"));
		KUNIT_EXPECT_NULL(test, strstr(text_of(test, &next), "torn"));

		next.kernel = 4;
		klog_ring_put(&next, "the next one", strlen("the next one"));
		KUNIT_ASSERT_EQ(test, klog_ring_read(&next, mem, SIZE), 6);
		KUNIT_EXPECT_FALSE(test, next.torn);
		KUNIT_EXPECT_NOT_NULL(test, strstr(text_of(test, &next), "\n4 the next one\n"));
	}
}

/*
 * A line did not fit before the ring's end, and only its position was written: a short
 * line would fit before the end, but takes the place of the torn one.
 */
static void ring_torn_at_the_beginning(struct kunit *test)
{
	const u64 wrap = 2 * RING;
	char *mem = golden(test);
	struct klog_ring ring;

	*(__le64 *)(mem + sizeof(struct kho_pool_klog_header)) = cpu_to_le64(wrap);
	KUNIT_ASSERT_EQ(test, klog_ring_read(&ring, mem, SIZE), 5);
	KUNIT_EXPECT_TRUE(test, ring.torn);
	KUNIT_EXPECT_EQ(test, ring.end, wrap);
	ring.kernel = 4;
	klog_ring_put(&ring, "short", strlen("short"));
	/* Everything more than a ring's size before its end is gone. */
	KUNIT_EXPECT_STREQ(test, text_of(test, &ring), "3 x\n4 short\n");
	KUNIT_ASSERT_EQ(test, klog_ring_read(&ring, mem, SIZE), 6);
	KUNIT_EXPECT_FALSE(test, ring.torn);
	KUNIT_EXPECT_STREQ(test, text_of(test, &ring), "3 x\n4 short\n");
}

/* The header was not written completely: there is no log yet, and it can be started again. */
static void ring_torn_headers(struct kunit *test)
{
	const size_t magic = sizeof_field(struct kho_pool_klog_header, magic);
	char *mem = kunit_kzalloc(test, SIZE, GFP_KERNEL);
	char *whole = kunit_kzalloc(test, SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mem);
	KUNIT_ASSERT_NOT_NULL(test, whole);
	klog_ring_format(whole, SIZE);
	for (size_t n = 0; n <= sizeof(struct kho_pool_klog_header) - magic; n++) {
		memset(mem, 0, SIZE);
		memcpy(mem + magic, whole + magic, n);
		KUNIT_EXPECT_FALSE_MSG(test, klog_ring_known(mem, SIZE), "%zu bytes", n);
		KUNIT_EXPECT_TRUE_MSG(test, klog_ring_empty(mem), "%zu bytes", n);
		klog_ring_format(mem, SIZE);
		KUNIT_EXPECT_TRUE(test, klog_ring_known(mem, SIZE));
		KUNIT_EXPECT_MEMEQ(test, mem, whole, SIZE);
	}
}

static void ring_headers_refused(struct kunit *test)
{
	u8 *mem = golden(test);

	for (u32 bit = 0; bit < 8 * sizeof(struct kho_pool_klog_header); bit++) {
		mem[bit / 8] ^= 1 << bit % 8;
		KUNIT_EXPECT_FALSE_MSG(test, klog_ring_known(mem, SIZE), "bit %u", bit);
		KUNIT_EXPECT_FALSE(test, klog_ring_empty(mem));
		mem[bit / 8] ^= 1 << bit % 8;
	}
	KUNIT_EXPECT_TRUE(test, klog_ring_known(mem, SIZE));
	KUNIT_EXPECT_FALSE(test, klog_ring_known(mem, SIZE - 8));
}

/* Any bit of a ring may be wrong: this loses one line, and no access leaves the ring. */
static void ring_damaged(struct kunit *test)
{
	struct klog_ring ring;
	u8 *mem = golden(test);

	for (u32 bit = 8 * sizeof(struct kho_pool_klog_header); bit < 8 * SIZE; bit++) {
		mem[bit / 8] ^= 1 << bit % 8;
		KUNIT_EXPECT_GE_MSG(test, klog_ring_read(&ring, mem, SIZE), 5, "bit %u", bit);
		text_of(test, &ring);
		mem[bit / 8] ^= 1 << bit % 8;
	}
	for (int i = 0; i < 1000; i++) {
		get_random_bytes(mem + sizeof(struct kho_pool_klog_header), RING);
		KUNIT_EXPECT_EQ(test, klog_ring_read(&ring, mem, SIZE), 0);
	}
	/* Positions near the end of 64 bits */
	for (u64 end = ~0ULL - 4095; end < ~0ULL - 8; end += 8) {
		memcpy(mem, golden(test), SIZE);
		KUNIT_EXPECT_EQ(test, klog_ring_read(&ring, mem, SIZE), 6);
		ring.end = end;
		klog_ring_put(&ring, "far", 3);
		KUNIT_EXPECT_GE(test, klog_ring_read(&ring, mem, SIZE), 1);
		klog_ring_put(&ring, "farther", 7);
		text_of(test, &ring);
	}
}

static void ring_long_lines(struct kunit *test)
{
	const u64 size = SZ_64K;
	char *mem = kunit_kzalloc(test, size, GFP_KERNEL);
	char *line = kunit_kzalloc(test, 2 * KHO_POOL_KLOG_LINE_MAX, GFP_KERNEL);
	struct klog_ring ring;

	KUNIT_ASSERT_NOT_NULL(test, mem);
	KUNIT_ASSERT_NOT_NULL(test, line);
	memset(line, 'l', 2 * KHO_POOL_KLOG_LINE_MAX);
	klog_ring_format(mem, size);
	KUNIT_ASSERT_EQ(test, klog_ring_read(&ring, mem, size), 0);
	ring.kernel = U32_MAX;
	/* Several times around; the text is never longer than the ring. */
	for (int i = 0; i < 300; i++) {
		klog_ring_put(&ring, line, i % 2 ? 2 * KHO_POOL_KLOG_LINE_MAX : 0);
		KUNIT_EXPECT_LT(test, strlen(text_of(test, &ring)), ring.size);
	}
	KUNIT_EXPECT_GT(test, klog_ring_read(&ring, mem, size), 30);
	KUNIT_EXPECT_EQ(test, ring.kernel, U32_MAX);
	line[KHO_POOL_KLOG_LINE_MAX] = 0;
	KUNIT_EXPECT_NOT_NULL(test, strstr(text_of(test, &ring), line));
	line[KHO_POOL_KLOG_LINE_MAX] = 'l';
	line[KHO_POOL_KLOG_LINE_MAX + 1] = 0;
	KUNIT_EXPECT_NULL(test, strstr(text_of(test, &ring), line));
}

static struct kunit_case klog_ring_cases[] = {
	KUNIT_CASE(ring_golden_read),
	KUNIT_CASE(ring_golden_written),
	KUNIT_CASE(ring_torn_lines),
	KUNIT_CASE(ring_torn_at_the_beginning),
	KUNIT_CASE(ring_torn_headers),
	KUNIT_CASE(ring_headers_refused),
	KUNIT_CASE(ring_damaged),
	KUNIT_CASE(ring_long_lines),
	{}
};

static struct kunit_suite klog_ring_suite = {
	.name = "kho_pool_klog",
	.test_cases = klog_ring_cases,
};

kunit_test_suite(klog_ring_suite);
