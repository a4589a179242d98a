// SPDX-License-Identifier: GPL-2.0-only
/* The code of the trace events */
#define CREATE_TRACE_POINTS
#include <trace/events/kho_pool.h>
