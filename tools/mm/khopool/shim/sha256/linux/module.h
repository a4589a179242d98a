/* SPDX-License-Identifier: GPL-2.0-only */
#include <lib_crypto.h>
