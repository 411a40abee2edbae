/* Runs the loops of kernels: brings their operands together in blocks, shares the work between
   threads, and adds up what is reduced. Sums are made in the order of the indices that it is given,
   in chunks of fixed size, so that strides and threads change no bit of them. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#include <pthread.h>

/* A process forked from one whose threads have begun would wait for them for ever. */
static int is_forked;
static void after_fork(void) { is_forked = 1; }
static __attribute__((constructor)) void watch_forks(void) { pthread_atfork(0, 0, after_fork); }
static int64_t threads(void) { return is_forked ? 1 : omp_get_max_threads(); }
#else
static int64_t threads(void) { return 1; }
#endif

enum {
    WIDTH = 64,       /* elements of a block; the last one is padded */
    SHORT = 256,      /* rows that are gathered rather than computed one by one */
    TILE = 2048,      /* elements that are gathered at a time */
    PIECE = 8192,     /* bytes that a kernel adds up before they go into doubles */
    WIDE = 16384,     /* columns that are added up at a time */
    CHUNK = 8192,     /* elements of one partial result */
    SUMMED = 32768,   /* the same, where all results are sums */
    TOGETHER = 16,    /* such partial results that are made in one call */
    LANES = 64,       /* bytes of the lanes of a sum, in the type that is computed in */
    ROWS = 64,        /* rows that are added up before they go into a double */
    PARALLEL = 32768, /* elements worth a second thread */
    SCRATCH = 1 << 18 /* doubles of partial sums */
};

enum { FLOAT32, FLOAT64, FLOAT16, BFLOAT16 };
enum { SUM, PROD, AMAX, AMIN };
enum { DONE, NO_MEMORY, MIXED, NOTHING };

/* One loop. item: bytes of an element of each operand, inputs first; type: how a result is
   stored; over: the number that a sum is divided by, or -1. */
struct kernel {
    int inputs, results, is_double;
    const unsigned char *item, *uniform, *reduced, *type, *combine;
    const short *over;
    void (*span)(int64_t, const void *const *, void *const *, const double *, int64_t);
    void (*sum)(int64_t, const void *const *, void *const *, const double *, double *);
};

/* Bytes of a number of the type that is computed in. */
static inline int64_t real_size(const struct kernel *kernel) { return kernel->is_double ? 8 : 4; }

/* Memory that is small is on the stack. */
enum { FEW = 192 * 1024, FEW_SUMS = 64 };

static void *taken(void *few, int64_t size, int64_t least_size)
{
    return least_size <= size ? few : malloc(least_size);
}

static void given_back(void *few, void *memory)
{
    if (memory != few) {
        free(memory);
    }
}

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t quotient(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* Some dims of the iteration; those that all operands step through alike are one. */
struct space {
    int count;
    int64_t length;
    int64_t *size;   /* by dim */
    int64_t *stride; /* by dim and operand, in bytes */
    int64_t *step;   /* by operand: bytes between neighbours, -1 where that varies */
};

struct call {
    const struct kernel *kernel;
    int operands;
    const double *number;
    char *const *data;
    int has_whole_rows; /* columns are added up, and neighbours in a row stand together */
    struct space outer, inner, kept;
};

static void add_dim(struct space *s, int operands, int64_t size, const int64_t *stride)
{
    s->length *= size;
    if (size == 1) {
        return;
    }
    int64_t *last = s->stride + (s->count - 1) * operands;
    int is_one = s->count > 0;
    for (int k = 0; is_one && k < operands; ++k) {
        is_one = last[k] == stride[k] * size;
    }
    if (is_one) {
        s->size[s->count - 1] *= size;
    } else {
        s->size[s->count++] = size;
        last += operands;
    }
    memcpy(last, stride, sizeof(int64_t) * operands);
}

static void find_steps(struct space *s, const struct kernel *kernel, int operands)
{
    for (int k = 0; k < operands; ++k) {
        const int64_t *stride = s->stride + k;
        s->step[k] = s->count ? stride[(s->count - 1) * operands] : kernel->item[k];
        for (int d = 0; d + 1 < s->count; ++d) {
            if (stride[d * operands] != stride[(d + 1) * operands] * s->size[d + 1]) {
                s->step[k] = -1;
            }
        }
    }
}

/* Where an element of an operand stands, in bytes. */
static int64_t offset(const struct space *s, int operands, int k, int64_t index)
{
    int64_t bytes = 0;
    for (int d = s->count - 1; d >= 0; --d) {
        bytes += (d ? index % s->size[d] : index) * s->stride[d * operands + k];
        index /= s->size[d];
    }
    return bytes;
}
