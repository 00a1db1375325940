/* counted_heap.c - The heap of compiled code, counted
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Linked with --wrap, so that only the compiled code's own calls come here.
 */

#include <stdatomic.h>
#include <stddef.h>

void *__real_malloc(size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *pointer);

atomic_long live, calls;

void *__wrap_malloc(size_t size) {
  ++live, ++calls;
  return __real_malloc(size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  ++live, ++calls;
  return __real_aligned_alloc(alignment, size);
}

void __wrap_free(void *pointer) {
  live -= pointer != 0;
  __real_free(pointer);
}
