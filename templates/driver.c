/* Stores what is not reduced, and chooses how a loop is run. */

/* n elements from `from` on, in whole blocks, of operands that are in place. */
static void store_in_place(const struct call *c, char *const *base, int64_t from, int64_t n)
{
    const struct kernel *kernel = c->kernel;
    const void *in[kernel->inputs + 1];
    void *out[kernel->results];
    for (int k = 0; k < kernel->inputs; ++k) {
        in[k] = base[k] + (kernel->uniform[k] ? 0 : from * kernel->item[k]);
    }
    for (int r = 0; r < kernel->results; ++r) {
        out[r] = base[kernel->inputs + r] + from * kernel->item[kernel->inputs + r];
    }
    kernel->span(n, in, out, c->number, 0);
}

static int64_t store_range(const struct call *c, char *const *base, int64_t start, int64_t end,
                           int in_place)
{
    if (in_place && end - start >= WIDTH) {
        const int64_t whole = (end - start) / WIDTH * WIDTH;
        store_in_place(c, base, start, whole);
        if (start + whole < end) {
            /* The last block once more, a little further on: that stores the same bits. */
            store_in_place(c, base, end - WIDTH, WIDTH);
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
    locate(c, first, base);
    for (int64_t cell = first; !failed && cell < last; ++cell) {
        if (cell > first) {
            step_on(c, cell, base);
        }
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
    struct call c = { kernel, operands, number, (char *const *)data, 0, {0}, {0}, {0} };
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
    int are_together = is_columns;
    for (int k = 0; are_together && k < operands; ++k) {
        const int is_aside = k < kernel->inputs ? kernel->uniform[k]
                                                : kernel->reduced[k - kernel->inputs];
        are_together = is_aside || strides[k * ndim + order[count - 1]] == 1;
    }
    int64_t room[3 * ((count + 1) * (operands + 1) + operands) + operands];
    struct call c = { kernel, operands, number, (char *const *)data, 0, {0}, {0}, {0} };
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
    c.has_whole_rows = are_together && c.kept.count == 1;
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
