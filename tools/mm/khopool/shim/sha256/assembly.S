/* SPDX-License-Identifier: GPL-2.0-only */
/* What lib/crypto's assembly needs; the two headers lead here */
#ifndef _KHO_POOL_SHIM_ASSEMBLY
#define _KHO_POOL_SHIM_ASSEMBLY

#define SYM_FUNC_START(name)	.globl name; .type name, %function; .balign 16; name:
#define SYM_FUNC_END(name)	.size name, . - name
#define RET			ret

	/* arm64 */
	.macro	adr_l, dst, sym
	adrp	\dst, \sym
	add	\dst, \dst, :lo12:\sym
	.endm

	/* None of it needs a stack that is executable. */
	.section .note.GNU-stack, "", %progbits
	.text
#endif
