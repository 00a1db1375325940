/* guest.c - Calls compiled functions on buffers between unmapped pages
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * A program of its own, so that a wrong access ends it and not the test,
 * without a C library, so that the same file runs natively and, cross-compiled,
 * under an emulator. It reads calls from standard input and answers on standard
 * output:
 *
 *   in:  int64 function, at_start, buffers; per buffer int64 element bytes,
 * rank, sizes..., then the bytes out: the bytes of every buffer after the call;
 * int64 live allocations
 *
 * Each buffer, and each allocation of the compiled code, lies in a mapping of
 * its own: against the unmapped page behind it, or, if `at_start`, behind the
 * one before it. Functions are called through MLIR's C interface.
 */

typedef long word;
typedef unsigned char byte;
typedef void (*function)(void *, void *, void *, void *);
extern const function functions[];

/* -- System calls --------------------------------------------------------- */

#if defined(__x86_64__)
enum { READ = 0, WRITE = 1, MAP = 9, PROTECT = 10, UNMAP = 11, EXIT = 60 };
static word call(word number, word a, word b, word c, word d, word e, word f) {
  register word r10 __asm__("r10") = d, r8 __asm__("r8") = e,
                    r9 __asm__("r9") = f;
  word result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
                     "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}
__asm__(".globl _start\n_start: and $-16, %rsp\n call run\n");
#elif defined(__aarch64__)
enum {
  READ = 63,
  WRITE = 64,
  MAP = 222,
  PROTECT = 226,
  UNMAP = 215,
  EXIT = 93
};
static word call(word number, word a, word b, word c, word d, word e, word f) {
  register word x8 __asm__("x8") = number, x0 __asm__("x0") = a,
                   x1 __asm__("x1") = b, x2 __asm__("x2") = c,
                   x3 __asm__("x3") = d, x4 __asm__("x4") = e,
                   x5 __asm__("x5") = f;
  __asm__ volatile("svc 0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
}
__asm__(".globl _start\n_start: bl run\n");
#endif

static _Noreturn void end(word code) {
  for (;;)
    call(EXIT, code, 0, 0, 0, 0, 0);
}

/* Whether all was read: nothing at all is the end of the input. */
static int get(void *to, word bytes) {
  for (word done = 0; done < bytes;) {
    word n = call(READ, 0, (word)to + done, bytes - done, 0, 0, 0);
    if (n <= 0)
      return done == 0 ? 0 : (end(3), 0);
    done += n;
  }
  return 1;
}

static void put(const void *from, word bytes) {
  for (word done = 0; done < bytes;) {
    word n = call(WRITE, 1, (word)from + done, bytes - done, 0, 0, 0);
    if (n <= 0)
      end(4);
    done += n;
  }
}

/* -- Memory between unmapped pages ---------------------------------------- */

enum { PAGE = 65536 }; /* a multiple of every page size */

struct mapping {
  void *base;
  word bytes;
};

static byte *guarded(word bytes, int at_start, struct mapping *mapping) {
  word inner = (bytes + PAGE - 1) / PAGE * PAGE;
  if (inner == 0)
    inner = PAGE;
  word base = call(MAP, 0, inner + 2 * PAGE, 3, 0x22, -1, 0);
  if (base < 0 && base > -4096)
    end(5);
  call(PROTECT, base, PAGE, 0, 0, 0, 0);
  call(PROTECT, base + PAGE + inner, PAGE, 0, 0, 0, 0);
  mapping->base = (void *)base;
  mapping->bytes = inner + 2 * PAGE;
  return (byte *)base + PAGE + (at_start ? 0 : inner - bytes);
}

/* What the compiled code allocates. Numbers that nobody wrote are NaN. */
static struct {
  void *pointer;
  struct mapping mapping;
} heap[1024];
static word live;

void *aligned_alloc(unsigned long alignment, unsigned long bytes) {
  bytes = (bytes + alignment - 1) / alignment * alignment;
  for (word i = 0; i != 1024; ++i)
    if (!heap[i].pointer) {
      byte *pointer = guarded(bytes, 0, &heap[i].mapping);
      for (unsigned long b = 0; b != bytes; ++b)
        pointer[b] = 0xFF;
      heap[i].pointer = pointer;
      ++live;
      return pointer;
    }
  end(6);
}

void *malloc(unsigned long bytes) { return aligned_alloc(16, bytes); }

void free(void *pointer) {
  if (!pointer)
    return;
  for (word i = 0; i != 1024; ++i)
    if (heap[i].pointer == pointer) {
      call(UNMAP, (word)heap[i].mapping.base, heap[i].mapping.bytes, 0, 0, 0,
           0);
      heap[i].pointer = 0;
      --live;
      return;
    }
  end(7);
}

/* The compiler calls these. Volatile, or it would call them from themselves. */
void *memcpy(void *to, const void *from, unsigned long bytes) {
  for (unsigned long i = 0; i != bytes; ++i)
    ((volatile byte *)to)[i] = ((const byte *)from)[i];
  return to;
}

void *memset(void *to, int value, unsigned long bytes) {
  for (unsigned long i = 0; i != bytes; ++i)
    ((volatile byte *)to)[i] = value;
  return to;
}

/* -- Calls ---------------------------------------------------------------- */

enum { BUFFERS = 4, RANK = 6 };

/* One call; nothing is left to do at the end of the input. */
static int answer(void) {
  word header[3];
  if (!get(header, sizeof(header)))
    return 0;
  word count = header[2];
  if (count > BUFFERS)
    end(8);
  struct mapping mappings[BUFFERS];
  byte *data[BUFFERS];
  word bytes[BUFFERS], descriptors[BUFFERS][3 + 2 * RANK];
  for (word i = 0; i != count; ++i) {
    word type[2], sizes[RANK];
    if (!get(type, sizeof(type)) || type[1] > RANK ||
        !get(sizes, type[1] * sizeof(word)))
      end(8);
    bytes[i] = type[0];
    for (word d = type[1]; d-- > 0;) {
      descriptors[i][3 + type[1] + d] = bytes[i] / type[0];
      descriptors[i][3 + d] = sizes[d];
      bytes[i] *= sizes[d];
    }
    data[i] = guarded(bytes[i], header[1], &mappings[i]);
    descriptors[i][0] = descriptors[i][1] = (word)data[i];
    descriptors[i][2] = 0;
    get(data[i], bytes[i]);
  }
  functions[header[0]](descriptors[0], descriptors[1], descriptors[2],
                       descriptors[3]);
  for (word i = 0; i != count; ++i) {
    put(data[i], bytes[i]);
    call(UNMAP, (word)mappings[i].base, mappings[i].bytes, 0, 0, 0, 0);
  }
  put(&live, sizeof(live));
  return 1;
}

void run(void) {
  while (answer()) {
  }
  end(0);
}
