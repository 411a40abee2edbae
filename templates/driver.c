/* Runs the loops of kernels: brings their operands together in blocks, shares the work between
   threads, and adds up what is reduced. Sums are made in the order of the elements, in chunks of
   fixed size, so that strides and threads change no bit of them. */
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
    CHUNK = 8192,     /* elements of one partial sum */
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
    void (*sum)(int64_t, int64_t, const void *const *, void *const *, const double *, double *);
};

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

#define COPY(type)                                                           \
    for (int64_t i = 0; i < n; ++i) {                                        \
        *(type *)(to + i * to_step) = *(const type *)(from + i * from_step); \
    }                                                                        \
    break

static void copy(char *to, int64_t to_step, const char *from, int64_t from_step, int64_t n,
                 int item)
{
    if (to_step == item && from_step == item) {
        memcpy(to, from, n * item);
        return;
    }
    switch (item) {
    case 1: COPY(uint8_t);
    case 2: COPY(uint16_t);
    case 4: COPY(uint32_t);
    default: COPY(uint64_t);
    }
}

/* Copies n elements from `start` on between an operand and a buffer, run by run. */
static void move(const struct call *c, int k, char *base, int64_t start, int64_t n, char *buffer,
                 int is_store)
{
    const struct space *s = &c->inner;
    const int item = c->kernel->item[k], last = s->count - 1;
    while (n > 0) {
        int64_t run = n, step = s->step[k], at;
        if (step >= 0) {
            at = start * step;
        } else {
            step = s->stride[last * c->operands + k];
            at = offset(s, c->operands, k, start);
            run = least(n, s->size[last] - start % s->size[last]);
        }
        if (is_store) {
            copy(base + at, step, buffer, item, run, item);
        } else {
            copy(buffer, item, base + at, step, run, item);
        }
        buffer += run * item;
        start += run;
        n -= run;
    }
}

/* Computes n elements from `start` on: at most TILE, or any whole blocks that are in place.
   room: TILE * 8 bytes an operand. into: the accumulators of what is reduced; totals: where
   sums are added, in place of them. */
static void compute(const struct call *c, char *const *base, int64_t start, int64_t n,
                    char *room, void *const *into, int64_t advance, double *totals)
{
    const struct kernel *kernel = c->kernel;
    const int64_t padded = quotient(n, WIDTH) * WIDTH;
    const void *in[kernel->inputs + 1];
    void *out[kernel->results];
    for (int k = 0; k < kernel->inputs; ++k) {
        const int item = kernel->item[k];
        if (kernel->uniform[k]) {
            in[k] = base[k];
        } else if (c->inner.step[k] == item && n == padded) {
            in[k] = base[k] + start * item;
        } else {
            char *to = room + (int64_t)k * TILE * 8;
            move(c, k, base[k], start, n, to, 0);
            memset(to + n * item, 0, (padded - n) * item);
            in[k] = to;
        }
    }
    for (int r = 0; r < kernel->results; ++r) {
        const int k = kernel->inputs + r, item = kernel->item[k];
        const int in_place = c->inner.step[k] == item && n == padded;
        out[r] = kernel->reduced[r] ? (totals ? 0 : into[r])
                 : in_place         ? base[k] + start * item
                                    : room + (int64_t)k * TILE * 8;
    }
    if (totals) {
        kernel->sum(padded, n, in, out, c->number, totals);
    } else {
        kernel->span(padded, in, out, c->number, advance);
    }
    for (int r = 0; r < kernel->results; ++r) {
        const int k = kernel->inputs + r;
        if (!kernel->reduced[r] && out[r] == (void *)(room + (int64_t)k * TILE * 8)) {
            move(c, k, base[k], start, n, out[r], 1);
        }
    }
}

static int is_in_place(const struct call *c)
{
    for (int k = 0; k < c->operands; ++k) {
        const int is_input = k < c->kernel->inputs;
        const int is_elsewhere = is_input ? c->kernel->uniform[k]
                                          : c->kernel->reduced[k - c->kernel->inputs];
        if (!is_elsewhere && c->inner.step[k] != c->kernel->item[k]) {
            return 0;
        }
    }
    return 1;
}

static double initial(int combine)
{
    return combine == SUM ? 0.0 : combine == PROD ? 1.0 : combine == AMAX ? -INFINITY : INFINITY;
}

static inline double combined(int combine, double a, double b)
{
    switch (combine) {
    case SUM: return a + b;
    case PROD: return a * b;
    case AMAX: return b > a || b != b ? b : a;
    default: return b < a || b != b ? b : a;
    }
}

static inline double real_at(const struct kernel *kernel, const void *from, int64_t i)
{
    return kernel->is_double ? ((const double *)from)[i] : ((const float *)from)[i];
}

static void fill(const struct kernel *kernel, void *to, int64_t n, double value)
{
    for (int64_t i = 0; i < n; ++i) {
        if (kernel->is_double) {
            ((double *)to)[i] = value;
        } else {
            ((float *)to)[i] = (float)value;
        }
    }
}

#define COMBINE_ALL(value)          \
    for (int64_t i = 0; i < n; ++i) { \
        a[i] = value;                 \
    }                                 \
    break
#define COMBINER(name, to, from)                                                               \
    static void name(int combine, to *restrict a, const from *restrict b, int64_t n)           \
    {                                                                                          \
        switch (combine) {                                                                     \
        case SUM: COMBINE_ALL(a[i] + b[i]);                                                    \
        case PROD: COMBINE_ALL(a[i] * b[i]);                                                   \
        case AMAX: COMBINE_ALL((b[i] > a[i]) | (b[i] != b[i]) ? (to)b[i] : a[i]);              \
        default: COMBINE_ALL((b[i] < a[i]) | (b[i] != b[i]) ? (to)b[i] : a[i]);                \
        }                                                                                      \
    }
COMBINER(combine_floats, float, float)
COMBINER(combine_doubles, double, double)
COMBINER(combine_mixed, double, float)

/* b into a, both in the type that is computed in. */
static void combine_all(const struct kernel *kernel, int r, void *a, const void *b, int64_t n)
{
    if (kernel->is_double) {
        combine_doubles(kernel->combine[r], a, b, n);
    } else {
        combine_floats(kernel->combine[r], a, b, n);
    }
}

static void finish(const struct call *c, int r, char *to, double value)
{
    const struct kernel *kernel = c->kernel;
    if (kernel->over[r] >= 0) {
        value /= c->number[kernel->over[r]];
    }
    union { float value; uint32_t bits; } narrow = { (float)value };
    switch (kernel->type[r]) {
    case FLOAT64: *(double *)to = value; break;
    case FLOAT32: *(float *)to = narrow.value; break;
#ifdef __FLT16_MANT_DIG__
    case FLOAT16: *(_Float16 *)to = (_Float16)narrow.value; break;
#endif
    default: {
        const uint32_t rounded = narrow.bits + 0x7fff + (narrow.bits >> 16 & 1);
        *(uint16_t *)to = (uint16_t)((value != value ? 0x7fc00000 : rounded) >> 16);
    }
    }
}

static void locate(const struct call *c, int64_t cell, char **base)
{
    for (int k = 0; k < c->operands; ++k) {
        base[k] = c->data[k] + (c->outer.count ? offset(&c->outer, c->operands, k, cell) : 0);
    }
}

/* Memory of a thread: buffers for the operands, accumulators for the results. */
struct room {
    char *buffers, *sums, *spare;
    void **into, **aside;
};

static int64_t room_size(const struct call *c)
{
    const int64_t sums = (int64_t)c->kernel->results * TILE * 8;
    return (int64_t)c->operands * TILE * 8 + 2 * sums + 2 * c->kernel->results * 8 + 64;
}

static struct room in_room(const struct call *c, char *memory)
{
    const int results = c->kernel->results;
    struct room r;
    memory += -(uintptr_t)memory & 63;
    r.buffers = memory;
    r.sums = r.buffers + (int64_t)c->operands * TILE * 8;
    r.spare = r.sums + (int64_t)results * TILE * 8;
    r.into = (void **)(r.spare + (int64_t)results * TILE * 8);
    r.aside = r.into + results;
    for (int k = 0; k < results; ++k) {
        r.into[k] = r.sums + (int64_t)k * TILE * 8;
        r.aside[k] = r.spare + (int64_t)k * TILE * 8;
    }
    return r;
}

static void begin_sums(const struct call *c, void *const *into, int64_t n)
{
    for (int r = 0; r < c->kernel->results; ++r) {
        if (c->kernel->reduced[r]) {
            fill(c->kernel, into[r], n, initial(c->kernel->combine[r]));
        }
    }
}

/* Adds n elements to accumulators; where a block is not whole, by way of others, so that what
   pads it is left out. */
static void accumulate(const struct call *c, struct room *room, char *const *base, int64_t start,
                       int64_t n, int64_t advance)
{
    const int64_t whole = n / WIDTH * WIDTH;
    if (whole) {
        compute(c, base, start, whole, room->buffers, room->into, advance, 0);
    }
    if (whole < n) {
        begin_sums(c, room->aside, WIDTH);
        compute(c, base, start + whole, n - whole, room->buffers, room->aside, 0, 0);
        for (int r = 0; r < c->kernel->results; ++r) {
            if (c->kernel->reduced[r]) {
                const int64_t at = advance * whole * (c->kernel->is_double ? 8 : 4);
                combine_all(c->kernel, r, (char *)room->into[r] + at, room->aside[r], n - whole);
            }
        }
    }
}

/* One partial sum. */
static void reduce_chunk(const struct call *c, struct room *room, char *const *base,
                         int64_t start, int64_t end, double *total)
{
    const struct kernel *kernel = c->kernel;
    if (kernel->sum) {
        /* In tiles even where everything is in place: another grouping has other roundings. */
        memset(total, 0, sizeof(double) * kernel->results);
        for (; start < end; start += TILE) {
            compute(c, base, start, least(TILE, end - start), room->buffers, 0, 0, total);
        }
        return;
    }
    const int64_t tile = is_in_place(c) ? CHUNK : TILE;
    begin_sums(c, room->into, WIDTH);
    for (; start < end; start += tile) {
        accumulate(c, room, base, start, least(tile, end - start), 0);
    }
    for (int r = 0; r < kernel->results; ++r) {
        if (kernel->reduced[r]) {
            char *lanes = room->into[r];
            for (int half = WIDTH / 2; half > 0; half /= 2) {
                combine_all(kernel, r, lanes, lanes + half * (kernel->is_double ? 8 : 4), half);
            }
            total[r] = real_at(kernel, lanes, 0);
        }
    }
}

/* A share of the partial sums of all rows. */
static int64_t reduce_some(const struct call *c, int64_t chunks, int64_t first, int64_t last,
                           double *partial)
{
    char few[FEW], *memory = taken(few, FEW, room_size(c));
    if (!memory) {
        return NO_MEMORY;
    }
    struct room room = in_room(c, memory);
    char *base[c->operands];
    for (int64_t task = first; task < last; ++task) {
        const int64_t start = task % chunks * CHUNK;
        locate(c, task / chunks, base);
        reduce_chunk(c, &room, base, start, least(start + CHUNK, c->inner.length),
                     partial + task * c->kernel->results);
    }
    given_back(few, memory);
    return DONE;
}

/* The innermost dim is reduced: each cell of the results is the sum of a row. */
static int64_t reduce_rows(const struct call *c)
{
    const struct kernel *kernel = c->kernel;
    const int64_t length = c->inner.length, cells = c->outer.length;
    const int64_t chunks = length > 0 ? quotient(length, CHUNK) : 1, tasks = cells * chunks;
    const int results = kernel->results;
    double few[FEW_SUMS];
    double *partial = taken(few, sizeof few, sizeof(double) * results * tasks);
    int64_t failed = partial ? DONE : NO_MEMORY;
    if (partial && (cells * length < PARALLEL || threads() == 1)) {
        failed = reduce_some(c, chunks, 0, tasks, partial);
    } else if (partial) {
        const int64_t parts = least(tasks, 4 * threads());
        #pragma omp parallel for schedule(static) reduction(| : failed)
        for (int64_t part = 0; part < parts; ++part) {
            failed |= reduce_some(c, chunks, tasks * part / parts, tasks * (part + 1) / parts,
                                  partial);
        }
    }
    for (int64_t cell = 0; !failed && cell < cells; ++cell) {
        for (int r = 0; r < results; ++r) {
            if (kernel->reduced[r]) {
                const int k = kernel->inputs + r;
                double value = initial(kernel->combine[r]);
                for (int64_t chunk = 0; chunk < chunks; ++chunk) {
                    const double one = partial[(cell * chunks + chunk) * results + r];
                    value = combined(kernel->combine[r], value, one);
                }
                finish(c, r, c->data[k] + offset(&c->outer, c->operands, k, cell), value);
            }
        }
    }
    given_back(few, partial);
    return failed;
}

/* How the rows of a sum over the outer dims are shared out. Short rows are taken several at a
   time, so that blocks are full. */
struct columns {
    int64_t depth, together, width, rows, height, groups, tiles;
};

static struct columns columns_of(const struct call *c)
{
    struct columns s;
    const int64_t length = c->inner.length;
    s.depth = c->kept.length;
    s.together = least(quotient(TILE / 2, s.depth), length / s.depth);
    s.width = s.together * s.depth;
    s.rows = quotient(length, s.width);
    const int64_t room = SCRATCH / s.width / c->outer.length;
    s.height = quotient(s.rows, room < 1 ? 1 : least(room, 32));
    s.height = s.height < ROWS ? ROWS : s.height;
    s.groups = quotient(s.rows, s.height);
    s.tiles = quotient(s.width, TILE);
    return s;
}

static void reduce_tile(const struct call *c, const struct columns *s, struct room *room,
                        char *const *base, int64_t group, int64_t column, double *total)
{
    const struct kernel *kernel = c->kernel;
    const int64_t n = least(TILE, s->width - column);
    const int64_t end = least(s->rows, (group + 1) * s->height);
    for (int r = 0; r < kernel->results; ++r) {
        for (int64_t i = 0; i < n; ++i) {
            total[r * s->width + i] = initial(kernel->combine[r]);
        }
    }
    for (int64_t first = group * s->height; first < end; first += ROWS) {
        begin_sums(c, room->into, n);
        for (int64_t row = first; row < least(end, first + ROWS); ++row) {
            const int64_t start = row * s->width + column;
            if (start < c->inner.length) {
                accumulate(c, room, base, start, least(n, c->inner.length - start), 1);
            }
        }
        for (int r = 0; r < kernel->results; ++r) {
            double *to = total + r * s->width;
            if (kernel->reduced[r] && kernel->is_double) {
                combine_doubles(kernel->combine[r], to, room->into[r], n);
            } else if (kernel->reduced[r]) {
                combine_mixed(kernel->combine[r], to, room->into[r], n);
            }
        }
    }
}

/* A share of the partial sums of all columns. */
static int64_t reduce_some_columns(const struct call *c, const struct columns *s, int64_t first,
                                   int64_t last, double *partial)
{
    char few[FEW], *memory = taken(few, FEW, room_size(c));
    if (!memory) {
        return NO_MEMORY;
    }
    struct room room = in_room(c, memory);
    char *base[c->operands];
    for (int64_t task = first; task < last; ++task) {
        const int64_t column = task % s->tiles * TILE, group = task / s->tiles % s->groups;
        locate(c, task / s->tiles / s->groups, base);
        reduce_tile(c, s, &room, base, group, column,
                    partial + task / s->tiles * c->kernel->results * s->width + column);
    }
    given_back(few, memory);
    return DONE;
}

/* The innermost dim stays: rows are added to one another. */
static int64_t reduce_columns(const struct call *c)
{
    const struct kernel *kernel = c->kernel;
    const struct columns s = columns_of(c);
    const int64_t cells = c->outer.length, each = kernel->results * s.width;
    const int64_t tasks = cells * s.groups * s.tiles;
    double *partial = malloc(sizeof(double) * cells * s.groups * each);
    int64_t failed = partial ? DONE : NO_MEMORY;
    if (partial && (cells * c->inner.length < PARALLEL || threads() == 1)) {
        failed = reduce_some_columns(c, &s, 0, tasks, partial);
    } else if (partial) {
        const int64_t parts = least(tasks, 4 * threads());
        #pragma omp parallel for schedule(static) reduction(| : failed)
        for (int64_t part = 0; part < parts; ++part) {
            failed |= reduce_some_columns(c, &s, tasks * part / parts, tasks * (part + 1) / parts,
                                          partial);
        }
    }
    for (int64_t cell = 0; !failed && cell < cells; ++cell) {
        for (int r = 0; r < kernel->results; ++r) {
            const int k = kernel->inputs + r;
            char *to = c->data[k] + offset(&c->outer, c->operands, k, cell);
            double *first = partial + cell * s.groups * each + r * s.width;
            if (!kernel->reduced[r]) {
                continue;
            }
            for (int64_t group = 1; group < s.groups; ++group) {
                combine_doubles(kernel->combine[r], first, first + group * each, s.width);
            }
            for (int64_t row = 1; row < s.together; ++row) {
                combine_doubles(kernel->combine[r], first, first + row * s.depth, s.depth);
            }
            for (int64_t column = 0; column < s.depth; ++column) {
                finish(c, r, to + offset(&c->kept, c->operands, k, column), first[column]);
            }
        }
    }
    free(partial);
    return failed;
}

static int64_t store_range(const struct call *c, char *const *base, int64_t start, int64_t end,
                           int in_place)
{
    if (in_place && end - start >= WIDTH) {
        const int64_t whole = (end - start) / WIDTH * WIDTH;
        compute(c, base, start, whole, 0, 0, 0, 0);
        if (start + whole < end) {
            /* The last block once more, a little further on: that stores the same bits. */
            compute(c, base, end - WIDTH, WIDTH, 0, 0, 0, 0);
        }
        return DONE;
    }
    _Alignas(64) char few[FEW];
    char *room = taken(few, FEW, (int64_t)c->operands * TILE * 8);
    if (!room) {
        return NO_MEMORY;
    }
    for (; start < end; start += TILE) {
        compute(c, base, start, least(TILE, end - start), room, 0, 0, 0);
    }
    given_back(few, room);
    return DONE;
}

/* Rows `first` to `last`, none of which begins where the one before ends. */
static int64_t store_rows(const struct call *c, int64_t first, int64_t last, int in_place)
{
    char *base[c->operands];
    int64_t failed = DONE;
    for (int64_t cell = first; !failed && cell < last; ++cell) {
        locate(c, cell, base);
        failed = store_range(c, base, 0, c->inner.length, in_place);
    }
    return failed;
}

/* No result is reduced. */
static int64_t store_all(const struct call *c)
{
    const int64_t length = c->inner.length, rows = c->outer.length;
    const int in_place = is_in_place(c);
    if (length * rows < PARALLEL || threads() == 1) {
        return store_rows(c, 0, rows, in_place);
    }
    int64_t failed = DONE;
    if (rows >= threads()) {
        const int64_t parts = least(rows, 4 * threads());
        #pragma omp parallel for schedule(static) reduction(| : failed)
        for (int64_t part = 0; part < parts; ++part) {
            failed |= store_rows(c, rows * part / parts, rows * (part + 1) / parts, in_place);
        }
        return failed;
    }
    const int64_t blocks = quotient(length, WIDTH), parts = quotient(length, PARALLEL / 2);
    for (int64_t cell = 0; cell < rows; ++cell) {
        char *base[c->operands];
        locate(c, cell, base);
        #pragma omp parallel for schedule(static) reduction(| : failed)
        for (int64_t part = 0; part < parts; ++part) {
            const int64_t start = blocks * part / parts * WIDTH;
            const int64_t end = least(blocks * (part + 1) / parts * WIDTH, length);
            failed |= store_range(c, base, start, end, in_place);
        }
    }
    return failed;
}

/* One row without reductions, which is what most calls are. */
static int64_t store_row(const struct kernel *kernel, int64_t length, void *const *data,
                         const int64_t *strides, const double *number)
{
    const int operands = kernel->inputs + kernel->results;
    int64_t size[1] = { length }, stride[operands];
    struct call c = { kernel, operands, number, (char *const *)data, {0}, {0}, {0} };
    for (int k = 0; k < operands; ++k) {
        stride[k] = strides[k] * kernel->item[k];
    }
    c.inner = (struct space){ 1, length, size, stride, stride };
    return store_range(&c, c.data, 0, length, is_in_place(&c));
}

/* Runs one loop over the given sizes.

   data: a pointer an operand, the inputs first. strides: ndim strides an operand, in elements;
   0 where an input is broadcast or a result is reduced. number: counts that the loop refers to.

   DONE; NO_MEMORY; MIXED: the results reduce different dims, and must be asked for one by one;
   NOTHING: an extremum of no elements is asked for. */
__attribute__((visibility("default"))) int64_t symop_drive(
    const struct kernel *kernel, int64_t ndim, const int64_t *sizes, void *const *data,
    const int64_t *strides, const double *number)
{
    const int operands = kernel->inputs + kernel->results;
    int is_storing = ndim == 1 && sizes[0] > 0 && sizes[0] < PARALLEL;
    for (int r = 0; r < kernel->results; ++r) {
        is_storing &= !kernel->reduced[r];
    }
    if (is_storing) {
        return store_row(kernel, sizes[0], data, strides, number);
    }
    int order[ndim + 1], is_reduced[ndim + 1];
    int count = 0, reduced = 0, is_empty = 0, holds_none = 0, last_reduced = -1;
    for (int d = 0; d < ndim; ++d) {
        if (sizes[d] == 1) {
            continue;
        }
        int reducing = 0, storing = 0;
        for (int r = 0; r < kernel->results; ++r) {
            const int is_zero = strides[(kernel->inputs + r) * ndim + d] == 0;
            reducing |= kernel->reduced[r] && is_zero;
            storing |= kernel->reduced[r] && !is_zero;
        }
        if (reducing && storing) {
            return MIXED;
        }
        is_reduced[d] = reducing;
        is_empty |= reducing && sizes[d] == 0;
        holds_none |= !reducing && sizes[d] == 0;
        last_reduced = reducing ? count : last_reduced;
        order[count++] = d;
    }
    for (int r = 0; is_empty && r < kernel->results; ++r) {
        if (kernel->reduced[r] && kernel->combine[r] >= AMAX) {
            return NOTHING;
        }
    }
    if (holds_none) {
        return DONE;
    }
    reduced = last_reduced >= 0;
    /* No stored element depends on its place, so that they may come in the order of memory. */
    for (int i = 1; !reduced && i < count; ++i) {
        const int64_t *by = strides + kernel->inputs * ndim;
        const int d = order[i];
        int j = i;
        for (; j > 0 && by[order[j - 1]] < by[d]; --j) {
            order[j] = order[j - 1];
        }
        order[j] = d;
    }
    const int is_columns = reduced && !is_empty && last_reduced < count - 1;
    int64_t room[3 * ((count + 1) * (operands + 1) + operands) + operands];
    struct call c = { kernel, operands, number, (char *const *)data, {0}, {0}, {0} };
    struct space *spaces[3] = { &c.outer, &c.inner, &c.kept };
    int64_t *next = room, *stride = room + sizeof room / sizeof *room - operands;
    for (int i = 0; i < 3; ++i) {
        struct space *s = spaces[i];
        *s = (struct space){ 0, 1, next, next + count + 1, next + (count + 1) * (operands + 1) };
        next += (count + 1) * (operands + 1) + operands;
    }
    for (int i = 0; i < count; ++i) {
        const int d = order[i];
        for (int k = 0; k < operands; ++k) {
            stride[k] = strides[k * ndim + d] * kernel->item[k];
        }
        const int is_trailing = is_columns && i > last_reduced;
        const int is_outer = reduced && !is_reduced[d] && !is_trailing;
        add_dim(is_outer ? &c.outer : &c.inner, operands, sizes[d], stride);
        if (is_trailing) {
            add_dim(&c.kept, operands, sizes[d], stride);
        }
    }
    const int last = c.inner.count - 1;
    if (!reduced && last > 0 && c.inner.size[last] >= SHORT) {
        /* Operands part ways here and there; they go row by row. */
        const int64_t length = c.inner.size[last];
        const struct space rows = c.inner;
        c.inner = c.outer;
        c.outer = rows;
        c.outer.count = last;
        c.outer.length = rows.length / length;
        add_dim(&c.inner, operands, length, rows.stride + last * operands);
    }
    for (int i = 0; i < 3; ++i) {
        find_steps(spaces[i], kernel, operands);
    }
    return !reduced ? store_all(&c) : is_columns ? reduce_columns(&c) : reduce_rows(&c);
}
