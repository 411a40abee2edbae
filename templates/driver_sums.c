/* Adds up what is reduced, chunk by chunk and row by row. */
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
    if (kernel->is_double) {
        for (int64_t i = 0; i < n; ++i) {
            ((double *)to)[i] = value;
        }
        return;
    }
    for (int64_t i = 0; i < n; ++i) {
        ((float *)to)[i] = (float)value;
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

/* On to a cell from the one before. */
static void step_on(const struct call *c, int64_t cell, char **base)
{
    const struct space *s = &c->outer;
    const int64_t *stride = s->stride + (s->count - 1) * c->operands;
    if (s->count == 0 || cell % s->size[s->count - 1] == 0) {
        locate(c, cell, base);
        return;
    }
    for (int k = 0; k < c->operands; ++k) {
        base[k] += stride[k];
    }
}

/* Memory of a thread: buffers for the operands, of so many bytes each, `wide` accumulators for each
   result, and a block of them aside. */
struct room {
    char *buffers, *sums, *spare;
    void **into, **aside;
};

static int64_t room_size(const struct call *c, int64_t wide, int64_t buffer)
{
    const int64_t sums = (int64_t)c->kernel->results * (wide + WIDTH) * 8;
    return c->operands * buffer + sums + 2 * c->kernel->results * 8 + 64;
}

static struct room in_room(const struct call *c, int64_t wide, int64_t buffer, char *memory)
{
    const int results = c->kernel->results;
    struct room r;
    memory += -(uintptr_t)memory & 63;
    r.buffers = memory;
    r.sums = r.buffers + c->operands * buffer;
    r.spare = r.sums + results * wide * 8;
    r.into = (void **)(r.spare + (int64_t)results * WIDTH * 8);
    r.aside = r.into + results;
    for (int k = 0; k < results; ++k) {
        r.into[k] = r.sums + k * wide * 8;
        r.aside[k] = r.spare + (int64_t)k * WIDTH * 8;
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
static void accumulate(const struct call *c, struct room *room, void *const *into,
                       char *const *base, int64_t start, int64_t n, int64_t advance)
{
    const int64_t whole = n / WIDTH * WIDTH;
    if (whole) {
        compute(c, base, start, whole, room->buffers, into, advance, 0);
    }
    if (whole < n) {
        begin_sums(c, room->aside, WIDTH);
        compute(c, base, start + whole, n - whole, room->buffers, room->aside, 0, 0);
        for (int r = 0; r < c->kernel->results; ++r) {
            if (c->kernel->reduced[r]) {
                const int64_t at = advance * whole * real_size(c->kernel);
                combine_all(c->kernel, r, (char *)into[r] + at, room->aside[r], n - whole);
            }
        }
    }
}

/* The sum of 8 or 16 numbers, in pairs. */
static inline double sum_of(const double *from, int64_t n)
{
    double few[8];
    for (int i = 0; i < 8; ++i) {
        few[i] = n == 16 ? from[i] + from[i + 8] : from[i];
    }
    return ((few[0] + few[4]) + (few[2] + few[6])) + ((few[1] + few[5]) + (few[3] + few[7]));
}

/* The partial sums of some chunks, where all results are sums or stored. What is in place is read in
   one go: to begin anew costs as much as some thousand elements. */
static void sum_chunks(const struct call *c, struct room *room, char *const *base, int64_t start,
                       int64_t end, double *total)
{
    const struct kernel *kernel = c->kernel;
    const int64_t lanes = LANES / real_size(kernel);
    int64_t sums = 0;
    for (int r = 0; r < kernel->results; ++r) {
        sums += kernel->reduced[r];
    }
    /* Of nothing, one sum is made too. */
    const int64_t chunks = end > start ? quotient(end - start, SUMMED) : 1;
    double *from = (double *)room->sums;
    memset(from, 0, sizeof(double) * chunks * sums * lanes);
    const int64_t whole = (end - start) / WIDTH * WIDTH, piece = PIECE / real_size(kernel);
    for (int64_t done = 0, n; done < end - start; done += n) {
        n = is_in_place(c) && done < whole ? whole : least(piece, end - start - done);
        double *to = from + done / SUMMED * sums * lanes;
        compute(c, base, start + done, n, room->buffers, 0, 0, to);
    }
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
        for (int r = 0; r < kernel->results; ++r) {
            if (kernel->reduced[r]) {
                total[chunk * kernel->results + r] = sum_of(from, lanes);
                from += lanes;
            }
        }
    }
}

/* One partial result, where not all are sums. */
static void reduce_chunk(const struct call *c, struct room *room, char *const *base,
                         int64_t start, int64_t end, double *total)
{
    const struct kernel *kernel = c->kernel;
    const int64_t tile = is_in_place(c) ? CHUNK : TILE;
    begin_sums(c, room->into, WIDTH);
    for (; start < end; start += tile) {
        accumulate(c, room, room->into, base, start, least(tile, end - start), 0);
    }
    for (int r = 0; r < kernel->results; ++r) {
        if (kernel->reduced[r]) {
            char *lanes = room->into[r];
            for (int half = WIDTH / 2; half > 0; half /= 2) {
                combine_all(kernel, r, lanes, lanes + half * real_size(kernel), half);
            }
            total[r] = real_at(kernel, lanes, 0);
        }
    }
}

/* How many elements make one partial result: the same for any number of threads, so that all add up
   in one order. */
static int64_t chunk_of(const struct call *c) { return c->kernel->sum ? SUMMED : CHUNK; }

/* A share of the partial sums of all rows. */
static int64_t reduce_some(const struct call *c, int64_t chunks, int64_t first, int64_t last,
                           double *partial)
{
    const int is_sum = c->kernel->sum != 0;
    const int64_t wide = is_sum ? TOGETHER * LANES / real_size(c->kernel) : WIDTH;
    /* Of what is in place, only the last block is gathered. */
    const int64_t buffer = !is_sum ? TILE * 8 : is_in_place(c) ? WIDTH * 8 : PIECE;
    char few[FEW], *memory = taken(few, FEW, room_size(c, wide, buffer));
    if (!memory) {
        return NO_MEMORY;
    }
    struct room room = in_room(c, wide, buffer, memory);
    char *base[c->operands];
    for (int64_t task = first, together; task < last; task += together) {
        const int64_t at = task % chunks, start = at * chunk_of(c);
        together = is_sum ? least(least(last - task, chunks - at), TOGETHER) : 1;
        const int64_t end = least(start + together * chunk_of(c), c->inner.length);
        locate(c, task / chunks, base);
        (is_sum ? sum_chunks : reduce_chunk)(c, &room, base, start, end,
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
    const int64_t chunks = length > 0 ? quotient(length, chunk_of(c)) : 1, tasks = cells * chunks;
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
