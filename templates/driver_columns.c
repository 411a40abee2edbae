/* Adds rows to one another, where the innermost dim stays. */

/* How the rows of a sum over the outer dims are shared out. Short rows are taken several at a
   time, so that blocks are full. */
struct columns {
    int64_t depth, together, width, rows, height, groups, wide, tiles;
};

static struct columns columns_of(const struct call *c)
{
    struct columns s;
    const int64_t length = c->inner.length;
    s.depth = c->kept.length;
    s.together = s.depth < SHORT ? least(quotient(TILE / 2, s.depth), length / s.depth) : 1;
    s.width = s.together * s.depth;
    s.rows = quotient(length, s.width);
    const int64_t room = SCRATCH / s.width / c->outer.length;
    s.height = quotient(s.rows, room < 1 ? 1 : least(room, 32));
    s.height = s.height < ROWS ? ROWS : s.height;
    s.groups = quotient(s.rows, s.height);
    /* Rows are read from end to end, unless there is too little work for all threads. */
    const int64_t parts = threads() == 1 ? 1 : quotient(4 * threads(), c->outer.length * s.groups);
    const int64_t part = quotient(quotient(s.width, parts), WIDTH) * WIDTH;
    s.wide = part < TILE ? TILE : least(part, WIDE);
    s.tiles = quotient(s.width, s.wide);
    return s;
}

/* Adds n elements of a row, to accumulators of their own. Those of what pads the last block are
   not read, unless several rows are taken at a time. */
static void add_row(const struct call *c, struct room *room, int is_single, char *const *base,
                    int64_t start, int64_t n)
{
    void *into[c->kernel->results];
    for (int64_t done = 0, count; done < n; done += count) {
        const int64_t left = least(TILE, n - done), whole = left / WIDTH * WIDTH;
        count = is_single && whole ? whole : left;
        for (int r = 0; r < c->kernel->results; ++r) {
            into[r] = (char *)room->into[r] + done * real_size(c->kernel);
        }
        if (is_single) {
            compute(c, base, start + done, count, room->buffers, into, 1, 0);
        } else {
            accumulate(c, room, into, base, start + done, count, 1);
        }
    }
}

/* Adds rows that are in place, n columns of each. Where the last block is not whole, it is taken
   a little further back, with accumulators of its own. */
static void add_rows(const struct call *c, struct room *room, char *const *base, int64_t width,
                     int64_t column, int64_t n, int64_t first, int64_t end)
{
    const struct kernel *kernel = c->kernel;
    const struct space *s = &c->inner;
    const int64_t whole = n / WIDTH * WIDTH, back = n - WIDTH;
    const void *in[kernel->inputs + 1];
    void *out[kernel->results];
    char *at[c->operands];
    for (int64_t row = first; row < end; ++row) {
        for (int k = 0; k < c->operands; ++k) {
            const int is_next = row > first && s->count == 2;
            at[k] = is_next ? at[k] + s->stride[k]
                            : base[k] + offset(s, c->operands, k, row * width + column);
        }
        for (int is_rest = whole == 0; is_rest <= (whole < n); ++is_rest) {
            for (int k = 0; k < kernel->inputs; ++k) {
                const int is_back = is_rest && !kernel->uniform[k];
                in[k] = at[k] + (is_back ? back * kernel->item[k] : 0);
            }
            for (int r = 0; r < kernel->results; ++r) {
                const int k = kernel->inputs + r;
                out[r] = kernel->reduced[r]
                             ? (char *)room->into[r] + (is_rest ? whole * real_size(kernel) : 0)
                             : at[k] + (is_rest ? back * kernel->item[k] : 0);
            }
            kernel->span(is_rest ? WIDTH : whole, in, out, c->number, 1);
        }
    }
    for (int r = 0; r < kernel->results; ++r) {
        if (kernel->reduced[r] && whole < n) {
            const int64_t size = real_size(kernel);
            char *to = (char *)room->into[r] + whole * size;
            memmove(to, to + (WIDTH - (n - whole)) * size, (n - whole) * size);
        }
    }
}

/* Stores the sums of all columns. */
static void finish_columns(const struct call *c, int r, char *to, double *sums)
{
    const int k = c->kernel->inputs + r, over = c->kernel->over[r];
    const int64_t n = c->kept.length, step = c->kept.step[k];
    if (over < 0 && c->kernel->type[r] == FLOAT32 && step == sizeof(float)) {
        for (int64_t i = 0; i < n; ++i) {
            ((float *)to)[i] = (float)sums[i];
        }
        return;
    }
    for (int64_t i = 0; i < n; ++i) {
        const int64_t at = step >= 0 ? i * step : offset(&c->kept, c->operands, k, i);
        finish(c, r, to + at, sums[i]);
    }
}

static void reduce_tile(const struct call *c, const struct columns *s, struct room *room,
                        char *const *base, int64_t group, int64_t column, double *total)
{
    const struct kernel *kernel = c->kernel;
    const int64_t n = least(s->wide, s->width - column);
    const int64_t end = least(s->rows, (group + 1) * s->height);
    for (int r = 0; r < kernel->results; ++r) {
        const double none = initial(kernel->combine[r]);
        for (int64_t i = 0; i < n; ++i) {
            total[r * s->width + i] = none;
        }
    }
    for (int64_t first = group * s->height; first < end; first += ROWS) {
        const int in_place = c->has_whole_rows && s->together == 1;
        begin_sums(c, room->into, quotient(n, WIDTH) * WIDTH);
        if (in_place) {
            add_rows(c, room, base, s->width, column, n, first, least(end, first + ROWS));
        }
        for (int64_t row = first; !in_place && row < least(end, first + ROWS); ++row) {
            const int64_t start = row * s->width + column;
            if (start < c->inner.length) {
                add_row(c, room, s->together == 1, base, start, least(n, c->inner.length - start));
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
    char few[FEW], *memory = taken(few, FEW, room_size(c, s->wide, TILE * 8));
    if (!memory) {
        return NO_MEMORY;
    }
    struct room room = in_room(c, s->wide, TILE * 8, memory);
    char *base[c->operands];
    for (int64_t task = first; task < last; ++task) {
        const int64_t column = task % s->tiles * s->wide, group = task / s->tiles % s->groups;
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
            finish_columns(c, r, to, first);
        }
    }
    free(partial);
    return failed;
}
