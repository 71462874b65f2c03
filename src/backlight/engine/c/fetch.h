/* While a batch is worked on, the rows of the next are fetched into the cache of the core that will gather them. */
#ifndef BACKLIGHT_FETCH_H
#define BACKLIGHT_FETCH_H

#include "crew.h"

struct fetch {
    const char *x;
    const int64_t *order;
    num stride, bytes, rows, row, place; /* place: bytes fetched of that row */
    double lines_per_product, due;
};

/* Columns `from` to `to` of `rows` examples at `order`, spread over so many products. */
static struct fetch fetch_for(const struct work *work, const int64_t *order, num rows, num from, num to,
                              double products) {
    num size = SOURCE_BYTES[work->x_kind], bytes = (to - from) * size;
    double lines = (double)rows * (double)(bytes / CACHE_LINE + 2);
    return (struct fetch){.x = (const char *)work->x + from * size, .order = order, .stride = work->x_stride,
                          .bytes = bytes, .rows = to > from ? rows : 0, .lines_per_product = lines / products};
}

/* Called after every tile with the products that it took. */
INLINE void fetch_some(struct fetch *fetch, num products) {
    if (fetch->row >= fetch->rows) return;
    fetch->due += fetch->lines_per_product * (double)products;
    const char *at = fetch->x + fetch->order[fetch->row] * fetch->stride;
    for (; fetch->due > 0; fetch->due -= 1) {
        __builtin_prefetch(at + fetch->place, 0, 2);
        fetch->place += CACHE_LINE;
        if (fetch->place < fetch->bytes + CACHE_LINE) continue;
        fetch->place = 0;
        if (++fetch->row == fetch->rows) return;
        at = fetch->x + fetch->order[fetch->row] * fetch->stride;
    }
}

#endif
