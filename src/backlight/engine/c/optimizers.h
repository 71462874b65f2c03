/* What a weight does with its gradient. The only place where parameters change. */
#ifndef BACKLIGHT_OPTIMIZERS_H
#define BACKLIGHT_OPTIMIZERS_H

#include <float.h>

#include "layers.h"

#if REAL_BITS == 32
#define SMALLEST FLT_MIN
#else
#define SMALLEST DBL_MIN
#endif

/* One layer's rule for one step, its numbers rounded to the format. */
struct rule {
    int64_t kind;
    real lr, shrink;          /* shrink: lr times decay; 0 for biases */
    real momentum;
    real b1, b2, rest1, rest2; /* rest = 1 - b; adagrad: 1 */
    real eps, first, second;  /* -lr / (1 - b1^t); 1 / (1 - b2^t) */
};

/* v <- b2 v + rest2 g^2, and a step divided by its root plus eps. */
static void divide_by_roots(struct rule *rule, double b2, double rest2, double eps) {
    rule->b2 = (real)b2;
    rule->rest2 = (real)rest2;
    rule->eps = (real)eps; /* never 0: what pads a panel has a root of 0 */
    if (rule->eps < SMALLEST) rule->eps = SMALLEST;
}

static struct rule rule_for(const struct work *work, num depth, num step, num layer) {
    double lr = work->lr[step * depth + layer];
    struct rule rule = {.kind = work->optimizer, .lr = (real)lr,
                        .shrink = (real)(lr * work->decay[step * depth + layer])};
    const double *hyper = work->hyper;
    switch (rule.kind) {
    case MOMENTUM:
    case NESTEROV: rule.momentum = (real)hyper[0]; break;
    case ADAGRAD: divide_by_roots(&rule, 1, 1, hyper[0]); break;
    case RMSPROP: divide_by_roots(&rule, hyper[0], 1 - hyper[0], hyper[1]); break;
    case ADAM:
        rule.b1 = (real)hyper[0];
        rule.rest1 = (real)(1 - hyper[0]);
        divide_by_roots(&rule, hyper[1], 1 - hyper[1], hyper[2]);
        rule.first = (real)(-lr * work->corrections[2 * step]);
        rule.second = (real)work->corrections[2 * step + 1];
        break;
    default: break;
    }
    return rule;
}

/* The parameter after its update, less its decay. */
INLINE vec moved(vec w, vec update, real shrink) {
    return shrink != 0 ? w + (update - w * shrink) : w + update;
}

/* Update `count` parameters w with gradients g and the optimizer's numbers m and v, or m alone; whole vectors. */
static void update(const struct rule *rule, real *w, real *m, real *v, const real *g, num count) {
    switch (rule->kind) {
    case SGD:
        if (rule->shrink == 0) {
            const vec lr = spread(-rule->lr);
            for (num k = 0; k < count; k += LANES) store(w + k, multiply_add(load(g + k), lr, load(w + k)));
        } else {
            for (num k = 0; k < count; k += LANES)
                store(w + k, moved(load(w + k), load(g + k) * -rule->lr, rule->shrink));
        }
        break;
    case MOMENTUM:
        for (num k = 0; k < count; k += LANES) {
            vec velocity = multiply_add(load(m + k), spread(rule->momentum), load(g + k));
            store(m + k, velocity);
            store(w + k, moved(load(w + k), velocity * -rule->lr, rule->shrink));
        }
        break;
    case NESTEROV:
        for (num k = 0; k < count; k += LANES) {
            vec gradient = load(g + k), velocity = multiply_add(load(m + k), spread(rule->momentum), gradient);
            store(m + k, velocity);
            vec ahead = multiply_add(velocity, spread(rule->momentum), gradient);
            store(w + k, moved(load(w + k), ahead * -rule->lr, rule->shrink));
        }
        break;
    case ADAGRAD:
    case RMSPROP:
        for (num k = 0; k < count; k += LANES) {
            vec gradient = load(g + k);
            vec square = multiply_add(load(m + k), spread(rule->b2), gradient * gradient * rule->rest2);
            store(m + k, square);
            vec step = gradient / (square_root(square) + rule->eps) * -rule->lr;
            store(w + k, moved(load(w + k), step, rule->shrink));
        }
        break;
    case ADAM:
        for (num k = 0; k < count; k += LANES) {
            vec gradient = load(g + k);
            vec mean = multiply_add(load(m + k), spread(rule->b1), gradient * rule->rest1);
            vec square = multiply_add(load(v + k), spread(rule->b2), gradient * gradient * rule->rest2);
            store(m + k, mean);
            store(v + k, square);
            vec step = mean / (square_root(square * rule->second) + rule->eps) * rule->first;
            store(w + k, moved(load(w + k), step, rule->shrink));
        }
        break;
    case STORE_GRADS: memcpy(w, g, (size_t)count * sizeof(real)); break;
    case ADD_GRADS:
        for (num k = 0; k < count; k += LANES) store(w + k, load(w + k) + load(g + k));
        break;
    default: break;
    }
}

#endif
