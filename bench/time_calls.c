/* time_calls.c - Times calls of a compiled kernel
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * The loop around a call must cost less than the shortest kernel, so it is not
 * in Python. Calls are repeated for at least `seconds`; the shortest is what
 * other processes disturbed least.
 */

#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

double time_calls(void (*kernel)(void *, void *), void *x, void *y,
                  double seconds) {
  double start = now(), best = 1e30;
  do {
    double begin = now();
    kernel(x, y);
    double elapsed = now() - begin;
    if (elapsed < best)
      best = elapsed;
  } while (now() - start < seconds);
  return best;
}
