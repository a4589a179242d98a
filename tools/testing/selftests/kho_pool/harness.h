/* SPDX-License-Identifier: GPL-2.0-only */
/* The kselftest harness for emulated machines: a test that takes 30 s need not hang. */
#ifndef KHO_POOL_TEST_HARNESS_H
#define KHO_POOL_TEST_HARNESS_H

#include "../kselftest_harness.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	900

#endif
