/* Activations, their slopes, and dropout, on blocks of `rows` examples by `vectors` vectors of units. */
#ifndef BACKLIGHT_ELEMENTWISE_H
#define BACKLIGHT_ELEMENTWISE_H

#include "functions.h"
#include "layers.h"
#include "philox.h"

#define LEAK ((real)0.01)

/* Whether the slope is computed from z, which must then be kept beside a. */
INLINE int slope_needs_z(int64_t function) { return function == GELU || function == SOFTPLUS; }

#define EACH_VECTOR(statement)                                \
    for (num r = 0; r < rows; r++)                           \
        for (num v = 0; v < vectors; v++) {                  \
            num zk = r * z_row + v * LANES, ak = r * a_row + v * LANES; \
            statement;                                        \
        }                                                     \
    break

/* a = f(z), where z and a may be the same memory. */
static void activate(int64_t function, const real *z, num z_row, real *a, num a_row, num rows, num vectors) {
    const vec zero = {0};
    switch (function) {
    case IDENTITY: if (z == a) break; EACH_VECTOR(store(a + ak, load(z + zk)));
    case SIGMOID:
    case LOGISTIC: EACH_VECTOR(store(a + ak, logistic(load(z + zk))));
    case TANH: EACH_VECTOR(store(a + ak, hyperbolic_tangent(load(z + zk))));
    case RELU: EACH_VECTOR(store(a + ak, larger(zero, load(z + zk))));
    case LEAKY_RELU: EACH_VECTOR(vec x = load(z + zk); store(a + ak, larger(x * LEAK, x)));
    case ELU: EACH_VECTOR(vec x = load(z + zk);
                          store(a + ak, exponential_less_one(smaller(zero, x)) + larger(zero, x)));
    case GELU: EACH_VECTOR(vec x = load(z + zk); store(a + ak, x * normal_cdf(x)));
    case SOFTPLUS: EACH_VECTOR(store(a + ak, softplus(load(z + zk))));
    case EXPONENTIAL: EACH_VECTOR(store(a + ak, exponential(load(z + zk))));
    default: break;
    }
}

INLINE vec slope(int64_t function, vec z, vec a) {
    const vec zero = {0}, one = spread(1);
    switch (function) {
    case SIGMOID:
    case LOGISTIC: return (one - a) * a;
    case TANH: return one - a * a;
    case RELU: return only(a > zero, one);
    case LEAKY_RELU: return choose(a > zero, one, spread(LEAK));
    case ELU: return smaller(zero, a) + one;
    case GELU: return multiply_add(z, normal_density(z), normal_cdf(z));
    case SOFTPLUS: return logistic(z);
    case EXPONENTIAL: return a;
    default: return one;
    }
}

#define EACH_SLOPE(function) EACH_VECTOR(store(d + r * d_row + v * LANES, \
    load(d + r * d_row + v * LANES) * slope(function, load(z + zk), load(a + ak))))

/* d = d f'(z). */
static void times_slope(int64_t function, struct rows in, struct rows out, real *d, num d_row, num rows,
                        num vectors) {
    const real *z = in.at, *a = out.at;
    num z_row = in.stride, a_row = out.stride;
    switch (function) {
    case SIGMOID:
    case LOGISTIC: EACH_SLOPE(SIGMOID);
    case TANH: EACH_SLOPE(TANH);
    case RELU: EACH_SLOPE(RELU);
    case LEAKY_RELU: EACH_SLOPE(LEAKY_RELU);
    case ELU: EACH_SLOPE(ELU);
    case GELU: EACH_SLOPE(GELU);
    case SOFTPLUS: EACH_SLOPE(SOFTPLUS);
    case EXPONENTIAL: EACH_SLOPE(EXPONENTIAL);
    default: break;
    }
}

/* The factors of `rows` examples for units from `unit` on: 0, or what makes up for the silent ones. */
static void draw_dropout(const struct net *net, const struct op *op, const int64_t *order, int64_t epoch, num unit,
                         real *scale, num scale_row, num rows, num vectors) {
    num count = vectors * LANES;
    for (num r = 0; r < rows; r++)
        for (num first = 0; first < count; first += 4 * QUAD_LANES) {
            struct philox drawn = draw(net->key, (uint32_t)order[r], (uint32_t)epoch, (uint32_t)op->layer,
                                       (uint32_t)((unit + first) / 4));
            for (num k = 0; k < 4 * QUAD_LANES && first + k < count; k++)
                scale[r * scale_row + first + k] =
                    (int64_t)drawn.words[k % 4][k / 4] >= op->threshold ? (real)op->scale : 0;
        }
}

INLINE void times(const real *x, num x_row, const real *y, num y_row, real *out, num out_row, num rows,
                  num vectors) {
    for (num r = 0; r < rows; r++)
        for (num v = 0; v < vectors; v++)
            store(out + r * out_row + v * LANES, load(x + r * x_row + v * LANES) * load(y + r * y_row + v * LANES));
}

INLINE struct rows part(struct rows rows, num row, num unit) {
    return (struct rows){rows.at + row * rows.stride + unit, rows.stride};
}

/* Pass a block of examples from `row` and units from `unit` on through a chain, or through dropout's absence. */
static void chain_forward(const struct net *net, const struct work *work, const struct link *chain, num links,
                          const int64_t *order, num row, num unit, num rows, num vectors) {
    for (num k = 0; k < links; k++) {
        const struct link *link = &chain[k];
        struct rows in = part(link->in, row, unit), out = part(link->out, row, unit);
        if (link->op->kind == OP_ACTIVATION) {
            activate(link->op->function, in.at, in.stride, out.at, out.stride, rows, vectors);
        } else if (work->by_chance) {
            struct rows scale = part(link->scale, row, unit);
            draw_dropout(net, link->op, order + row, work->epoch, unit, scale.at, scale.stride, rows, vectors);
            times(in.at, in.stride, scale.at, scale.stride, out.at, out.stride, rows, vectors);
        } else {
            activate(IDENTITY, in.at, in.stride, out.at, out.stride, rows, vectors);
        }
    }
}

/* Pass errors d [example][unit] back through a chain. */
static void chain_backward(const struct work *work, const struct link *chain, num links, num row, num unit,
                           real *d, num d_row, num rows, num vectors) {
    for (num k = links - 1; k >= 0; k--) {
        const struct link *link = &chain[k];
        if (link->op->kind == OP_ACTIVATION) {
            times_slope(link->op->function, part(link->in, row, unit), part(link->out, row, unit), d, d_row, rows,
                        vectors);
        } else if (work->by_chance) {
            struct rows scale = part(link->scale, row, unit);
            times(d, d_row, scale.at, scale.stride, d, d_row, rows, vectors);
        }
    }
}

#endif
