/* Every example speaks, first part: its row is gathered. */
#ifndef BACKLIGHT_GATHER_H
#define BACKLIGHT_GATHER_H

#include "augment.h"
#include "panels.h"
#include "pass.h"

/* Write the sum of the squares of `count` numbers of each row; behind them, up to a whole vector can be read.
 * The sums over lanes are taken for LANES rows at once. */
static void sum_squares(const real *x, num x_row, num rows, num count, real *out) {
    const ivec tail = first_lanes(count % LANES);
    const num whole = count / LANES * LANES;
    for (num begin = 0; begin < rows; begin += LANES) {
        real totals[LANES * LANES], turned[LANES * LANES], sums[LANES];
        num here = rows - begin < LANES ? rows - begin : LANES;
        for (num r = 0; r < LANES; r++) {
            const real *row = x + (begin + r) * x_row;
            vec total = {0};
            for (num k = 0; r < here && k < whole; k += LANES) total = multiply_add(load(row + k), load(row + k), total);
            if (r < here && whole < count) {
                vec last = only(tail, load(row + whole));
                total = multiply_add(last, last, total);
            }
            store(totals + r * LANES, total);
        }
        turn_one_square(totals, LANES, turned, LANES);
        vec sum = load(turned);
        for (num k = 1; k < LANES; k++) sum += load(turned + k * LANES);
        store(sums, sum);
        memcpy(out + begin, sums, (size_t)here * sizeof(real));
    }
}

/* `inputs` numbers of a row from `column` on, as real numbers. */
static void gather_row(const struct work *work, int64_t row, num column, num inputs, real *out) {
    const char *from = (const char *)work->x + row * work->x_stride + column * SOURCE_BYTES[work->x_kind];
    real scale = (real)work->x_scale;
    out += column;
    switch (work->x_kind) {
    case SOURCE_UINT8: {
        num k = 0;
        for (; k + LANES <= inputs; k += LANES) store(out + k, real_bytes((const uint8_t *)from + k) * scale);
        for (; k < inputs; k++) out[k] = (real)((const uint8_t *)from)[k] * scale;
        break;
    }
    case REAL_BITS == 32 ? SOURCE_FLOAT : SOURCE_DOUBLE: memcpy(out, from, (size_t)inputs * sizeof(real)); break;
    case REAL_BITS == 32 ? SOURCE_DOUBLE : SOURCE_FLOAT:
#if REAL_BITS == 32
        for (num k = 0; k < inputs; k++) out[k] = (real)((const double *)from)[k];
#else
        for (num k = 0; k < inputs; k++) out[k] = (real)((const float *)from)[k];
#endif
        break;
    default: break;
    }
}

/* A whole row, changed by chance. */
static void gather_changed(const struct pass *pass, int64_t row, real *out) {
    const struct work *work = pass->work;
    const struct net *net = pass->net;
    const struct chance chance = {net->augmenter->key, (uint32_t)row, (uint32_t)work->epoch};
    const uint8_t *bytes = NULL;
    if (work->x_kind == SOURCE_UINT8 && is_warped(&net->augmenter->spec))
        bytes = (const uint8_t *)work->x + row * work->x_stride;
    else gather_row(work, row, 0, net->setup.inputs, out);
    augment_row(net, pass->thread, &chance, bytes, (real)work->x_scale, out);
}

/* Gather the examples, and what each of them counts: all of them, the thread's columns of them, or its part of them
 * where the threads share a front. */
static void gather(const struct pass *pass, num count) {
    struct net *net = pass->net;
    struct front *front = pass->front;
    const struct work *work = pass->work;
    const num from = gathers_columns(pass) ? pass->from : 0, to = gathers_columns(pass) ? pass->to : net->setup.inputs;
    num first = 0, next = pass->rows;
    for (num r = 0; r < pass->rows; r++) {
        real weight = work->sample_weight ? ((const real *)work->sample_weight)[pass->order[r]] : 1;
        front->weights[r] = work->mode == DELTAS ? 1 : weight / (real)count;
    }
    if (net->shared && !gathers_columns(pass)) share(pass->rows, pass->thread, pass->threads, &first, &next);
    for (num r = first; r < next && from < to && !stopped(work); r++) {
        real *out = front->x.at + r * front->x.stride;
        if (net->augmenter && work->by_chance) gather_changed(pass, pass->order[r], out);
        else gather_row(work, pass->order[r], from, to - from, out);
    }
    if (!pass->squares) return;
    if (pass->cuts == 1) share(pass->rows, pass->thread, pass->threads, &first, &next);
    for (num cut = 0; cut < pass->cuts; cut++) {
        num begin = cut_begin(net, pass->cuts, cut), end = cut_begin(net, pass->cuts, cut + 1);
        if (begin < from || end > to) continue;
        sum_squares(front->x.at + first * front->x.stride + begin, front->x.stride, next - first, end - begin,
                    net->x_square + cut * net->setup.capacity + first);
    }
}

#endif
