/* Brings the operands of a loop together in blocks, and runs the kernel on them. */
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

/* Where n elements from `start` on stand one after another; 0 where they do not. */
static char *together_at(const struct call *c, int k, char *base, int64_t start, int64_t n)
{
    const struct space *s = &c->inner;
    const int item = c->kernel->item[k], last = s->count - 1;
    if (s->step[k] == item) {
        return base + start * item;
    }
    const int is_run = s->step[k] < 0 && s->stride[last * c->operands + k] == item
                       && start % s->size[last] + n <= s->size[last];
    return is_run ? base + offset(s, c->operands, k, start) : 0;
}

/* Computes n elements from `start` on, any number of whole blocks of what is in place.
   room: for each operand that is not, as many bytes as they take in the type that is computed in.
   into: the accumulators of what is reduced; lanes: those of sums, chunk by chunk, in place of them. */
static void compute(const struct call *c, char *const *base, int64_t start, int64_t n,
                    char *room, void *const *into, int64_t advance, double *lanes)
{
    const struct kernel *kernel = c->kernel;
    const int64_t padded = quotient(n, WIDTH) * WIDTH, buffer = padded * real_size(kernel);
    const void *in[kernel->inputs + 1];
    void *out[kernel->results];
    char is_apart[kernel->results];
    for (int k = 0; k < kernel->inputs; ++k) {
        const int item = kernel->item[k];
        in[k] = kernel->uniform[k] ? base[k]
                : n == padded      ? together_at(c, k, base[k], start, n)
                                   : 0;
        if (!in[k]) {
            char *to = room + k * buffer;
            move(c, k, base[k], start, n, to, 0);
            memset(to + n * item, 0, (padded - n) * item);
            in[k] = to;
        }
    }
    for (int r = 0; r < kernel->results; ++r) {
        const int k = kernel->inputs + r;
        char *there = !kernel->reduced[r] && n == padded ? together_at(c, k, base[k], start, n) : 0;
        is_apart[r] = !kernel->reduced[r] && !there;
        out[r] = is_apart[r] ? room + k * buffer : there;
        if (kernel->reduced[r]) {
            out[r] = lanes ? 0 : into[r];
        }
    }
    if (lanes) {
        kernel->sum(n, in, out, c->number, lanes);
    } else {
        kernel->span(padded, in, out, c->number, advance);
    }
    for (int r = 0; r < kernel->results; ++r) {
        const int k = kernel->inputs + r;
        if (is_apart[r]) {
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
