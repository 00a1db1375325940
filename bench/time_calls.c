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

/* A kernel of values, indices, positions, input and output. A first call that
 * finds nothing in the caches must not be all there is. */
double time_kernel(void (*kernel)(void *, void *, void *, void *, void *),
                   void **a, double seconds) {
  double start = now(), best = 1e30;
  int calls = 0;
  do {
    double begin = now();
    kernel(a[0], a[1], a[2], a[3], a[4]);
    double elapsed = now() - begin;
    if (elapsed < best)
      best = elapsed;
  } while (++calls < 3 || now() - start < seconds);
  return best;
}

/* The clock at the moment: additions that wait for each other take one cycle.
 */
double cycles_per_second(void) {
  double best = 1e30;
  for (int repeat = 0; repeat != 5; ++repeat) {
    double begin = now();
    unsigned long sum = 1;
    for (int i = 0; i != 1000000 / 8; ++i)
      for (int j = 0; j != 8; ++j) {
        sum += sum;
        __asm__ volatile("" : "+r"(sum));
      }
    double elapsed = now() - begin;
    if (elapsed < best)
      best = elapsed;
  }
  return 1e6 / best;
}
