/* A session: opened once, then called with work by every thread of its crew. */
#ifndef BACKLIGHT_SESSION_H
#define BACKLIGHT_SESSION_H

#include "listen.h"

static void close_net(struct net *net) {
    if (!net) return;
    for (num k = 0; k < net->block_count; k++) free(net->blocks[k]);
    free(net->blocks);
    free(net->ops);
    free(net->sizes);
    free(net->layers);
    free(net->fronts);
    free(net);
}

/* Give the chain from `op` on its memory. An activation works in place where its slope does not need z.
 * The network's last operation is left to `judge` where it is an activation: `ending`. */
static struct rows open_chain(struct net *net, struct link **chain, num *links, const struct op *op, struct rows in,
                              num width, int64_t *ending) {
    const struct op *end = net->ops + net->setup.count;
    *chain = (struct link *)reserve(net, (end - op) * (sizeof(struct link) / sizeof(real)));
    for (; op < end && op->kind != OP_DENSE; op++) {
        int active = op->kind == OP_ACTIVATION;
        if (active && op + 1 == end) {
            *ending = op->function;
            break;
        }
        struct link link = {.op = op, .in = in, .out = in};
        int heard = *links && (*chain)[*links - 1].op->kind == OP_ACTIVATION; /* its slope needs what it said */
        if (!active || slope_needs_z(op->function) || heard) link.out = reserve_rows(net, net->setup.capacity, width);
        if (!active) link.scale = reserve_rows(net, net->setup.capacity, width);
        if (*chain) (*chain)[(*links)++] = link;
        in = link.out;
    }
    return in;
}

static void open_norm(struct net *net, struct dense *layer, const struct op *op) {
    struct norm *norm = &layer->norm;
    num capacity = net->setup.capacity, padded = layer->padded;
    norm->op = op;
    norm->y = reserve_rows(net, capacity, padded);
    norm->mean = reserve(net, padded);
    norm->variance = reserve(net, padded);
    for (int k = 0; k < 2; k++) norm->moved[k] = reserve(net, padded);
    norm->inverse = reserve(net, op->kind == OP_BATCH_NORM ? padded : capacity);
    for (int k = 0; k < ARRAYS; k++) {
        norm->scale[k] = reserve(net, padded);
        norm->shift[k] = reserve(net, padded);
    }
    net->coupled |= op->kind == OP_BATCH_NORM;
    if (!net->setup.training) return;
    norm->errors = reserve_rows(net, capacity, padded);
    norm->square = reserve(net, capacity);
}

static void open_dense(struct net *net, struct dense *layer, const struct op *op, struct rows a) {
    num capacity = net->setup.capacity, rest = op->units % PANEL;
    layer->op = op;
    layer->incoming = op->incoming;
    layer->units = op->units;
    layer->whole = layer->units / PANEL;
    layer->edge = rest == 0 ? 0 : rest <= LANES ? LANES : PANEL;
    layer->panels = layer->whole + (rest > 0);
    layer->padded = layer->whole * PANEL + layer->edge;
    layer->a = a;
    layer->z = reserve_rows(net, capacity, layer->padded);
    const struct op *next = op + 1;
    struct rows begin = layer->z;
    if (next < net->ops + net->setup.count && (next->kind == OP_BATCH_NORM || next->kind == OP_LAYER_NORM)) {
        open_norm(net, layer, next++);
        begin = layer->norm.y;
    }
    layer->out = open_chain(net, &layer->chain, &layer->links, next, begin, layer->padded, &layer->ending);
    for (int k = 0; k < ARRAYS; k++) {
        layer->bias[k] = reserve(net, layer->padded);
        layer->edge_weights[k] = reserve(net, layer->edge * layer->incoming);
    }
    if (!net->setup.training) return;
    layer->delta = reserve(net, layer->padded * capacity);
    if (layer > net->layers)
        layer->delta_t = reserve(net, layer->padded * round_up(capacity > FEW ? capacity : FEW, PANEL));
    layer->delta_square = reserve(net, layer->panels * capacity);
    layer->a_square = reserve(net, layer->panels * capacity);
    layer->sums = (double *)reserve(net, layer->panels * (num)(sizeof(double) / sizeof(real)));
}

EXPORT void NAME(close)(void *net) { close_net(net); }

/* Each thread's own room; the fronts are shared where copies would take too much memory, or too much work. */
static void open_fronts(struct net *net) {
    const num threads = net->setup.threads, most = 4 << 20;
    const struct dense *last = &net->layers[net->depth - 1];
    net->shared = net->setup.capacity * net->setup.inputs * threads > most || net->augmenter;
    for (num t = 0; t < threads; t++) {
        struct front *front = &net->fronts[t];
        if (t == 0 || !net->shared) front->x = reserve_rows(net, net->setup.capacity, net->setup.inputs);
        else *front = net->fronts[0];
        front->weights = reserve(net, net->setup.capacity);
        front->copy = reserve(net, PANEL * net->widest);
        front->judged = reserve(net, 4 * last->padded * LANES);
    }
}

/* Null where memory is short. */
EXPORT void *NAME(open)(const struct setup *setup) {
    struct net *net = calloc(1, sizeof *net);
    if (!net) return NULL;
    net->setup = *setup;
    num count = setup->count, groups = setup->groups, capacity = setup->capacity;
    net->ops = malloc((size_t)count * sizeof *net->ops);
    net->sizes = malloc((size_t)groups * sizeof *net->sizes);
    net->layers = calloc((size_t)count, sizeof *net->layers);
    net->fronts = calloc((size_t)setup->threads, sizeof *net->fronts);
    if (!net->ops || !net->sizes || !net->layers || !net->fronts) {
        close_net(net);
        return NULL;
    }
    memcpy(net->ops, setup->ops, (size_t)count * sizeof *net->ops);
    net->setup.sizes = memcpy(net->sizes, setup->sizes, (size_t)groups * sizeof *net->sizes);
    net->key[0] = (uint32_t)setup->key[0];
    net->key[1] = (uint32_t)setup->key[1];
    struct rows a = {0};
    for (num k = 0; k < count; k++)
        if (net->ops[k].kind == OP_DENSE) {
            struct dense *layer = &net->layers[net->depth++];
            if (net->ops[k].incoming > net->widest) net->widest = net->ops[k].incoming;
            open_dense(net, layer, &net->ops[k], a);
            a = layer->out;
        }
    open_augmenter(net);
    open_fronts(net);
    net->narrow = net->layers[0].panels == 1 && net->layers[0].incoming >= NARROW;
    net->partial = reserve(net, net->narrow ? CUTS * capacity * net->layers[0].padded : 0);
    num weights = 0;
    for (num l = 1; l < net->depth; l++) weights += net->layers[l].incoming * net->layers[l].units;
    net->light = weights <= LIGHT;
    net->spans = (struct span *)reserve(net, setup->threads * (num)(sizeof(struct span) / sizeof(real)));
    net->x_square = reserve(net, CUTS * capacity);
    net->losses = reserve(net, capacity);
    net->error = reserve(net, capacity * net->layers[net->depth - 1].padded);
    net->ones = reserve(net, capacity);
    for (num r = 0; net->ones && r < capacity; r++) net->ones[r] = 1;
    if (net->short_of_memory) {
        close_net(net);
        return NULL;
    }
    return net;
}

/* Which layers learn, and down to which errors must be passed. */
static void prepare(struct net *net, const struct work *work) {
    net->lowest = 0;
    while (net->lowest < net->depth - 1 && is_frozen(work, net->lowest)) net->lowest++;
}

/* Examples speak, down to the first layer's errors. Nobody has met after the last of it. */
static int speak(const struct pass *pass, num count) {
    struct net *net = pass->net;
    const struct work *work = pass->work;
    const num thread = pass->thread;
    gather(pass, count);
    if (net->shared && meet(net, work, thread)) return STOP;
    if (pass->cuts > 1) {
        forward_cuts(pass);
        if (meet(net, work, thread)) return STOP;
    }
    for (num l = 0; l < net->depth - 1; l++) {
        int own = net->light && (l > 0 || pass->cuts > 1);
        if (own || (pass->cuts > 1 && l == 0)) forward_own(pass, &net->layers[l]);
        else forward(pass, &net->layers[l]);
        if (net->layers[l].norm.op) {
            if (meet(net, work, thread)) return STOP;
            normalise(pass, &net->layers[l]);
        }
        if ((!own || net->layers[l].norm.op) && meet(net, work, thread)) return STOP;
    }
    judge(pass);
    for (num l = net->depth - 1; pass->listening && l > net->lowest; l--) {
        if (net->light) {
            backward_own(pass, &net->layers[l], &net->layers[l - 1]);
        } else {
            if (meet(net, work, thread)) return STOP;
            backward(pass, &net->layers[l], &net->layers[l - 1]);
        }
        if (net->layers[l - 1].norm.op) {
            if (meet(net, work, thread)) return STOP;
            normalise_back(pass, &net->layers[l - 1]);
            if (net->light && meet(net, work, thread)) return STOP;
        }
    }
    return GO_ON;
}

/* After `speak`: all meet, and thread 0 adds up the objective, in double, before any weight moves. */
static int hear_out(const struct pass *pass, int last, double *objective) {
    struct net *net = pass->net;
    struct work *work = (struct work *)pass->work;
    int verdict = GO_ON;
    if (pass->thread == 0) {
        await_crew(net, work);
        for (num r = 0; r < pass->rows; r++) *objective += (double)pass->front->weights[r] * (double)net->losses[r];
        if (last && penalised(work)) *objective += sum_of_panels(net, work);
        if (last && work->mode == TRAIN && !stopped(work) && !isfinite(*objective)) {
            work->finite = 0;
            verdict = STOP;
        }
    }
    return decide(net, work, pass->thread, verdict);
}

/* The fetching of the examples that follow, spread over the first layer's forward pass and the listening. */
static struct fetch next_rows(const struct pass *pass) {
    struct net *net = pass->net;
    const struct work *work = pass->work;
    const int64_t *order = pass->order + pass->rows;
    num left = (work->order + work->rows - order), capacity = net->setup.capacity;
    num first = 0, next = left < capacity ? left : capacity;
    const int columns = gathers_columns(pass);
    if (net->shared && !columns) share(next, pass->thread, pass->threads, &first, &next);
    double products = 1;
    for (num l = 0; l < net->depth; l++)
        if (l == 0 || !is_frozen(work, l))
            products += (l ? 1.0 : 2.0) * (double)(pass->rows * net->layers[l].incoming * net->layers[l].padded);
    return fetch_for(work, order + first, next - first, columns ? pass->from : 0, columns ? pass->to : net->setup.inputs,
                     products / (double)pass->threads);
}

/* From here on the step's stored gradients are shortened where they are too long as a whole. */
static int clip(struct pass *pass) {
    struct net *net = pass->net;
    const struct work *work = pass->work;
    measure(pass);
    if (meet(net, work, pass->thread)) return STOP;
    pass->terms.scale = (real)clip_factor(work->clip, sum_of_panels(net, work));
    pass->terms.l1 = pass->terms.l2 = 0; /* they are in the gradients */
    return GO_ON;
}

static void all_listen(const struct pass *pass, num step, int64_t kind, int target) {
    struct net *net = pass->net;
    for (num l = net->depth - 1; l >= net->lowest; l--) {
        if (is_frozen(pass->work, l)) continue;
        struct rule rule = {.kind = kind};
        if (target == PARAMS) rule = rule_for(pass->work, net->depth, step, l);
        listen(pass, &net->layers[l], &rule, target);
    }
}

/* One step: its examples pass, at once or in several passes; then the weights move. */
static int take_step(struct pass pass, num step) {
    struct net *net = pass.net;
    struct work *work = (struct work *)pass.work;
    const int64_t *order = work->order + step * work->batch;
    num left = (work->rows - step * work->batch), capacity = net->setup.capacity;
    num count = left < work->batch ? left : work->batch;
    int several = count > capacity, clips = work->mode == TRAIN && work->clip > 0;
    int stores = several || clips || work->mode == GRADIENTS;
    double objective = 0;
    const struct terms terms = terms_for(work, step), none = {.scale = 1};
    for (num begin = 0; begin < count; begin += capacity) {
        pass.order = order + begin;
        pass.rows = count - begin < capacity ? count - begin : capacity;
        assign(&pass);
        struct fetch fetch = next_rows(&pass);
        pass.fetch = &fetch;
        pass.terms = stores ? none : terms;
        if (speak(&pass, count)) return STOP;
        if (begin == 0 && penalised(work)) weigh(&pass);
        if (work->clip_examples > 0) {
            if (meet(net, work, pass.thread)) return STOP;
            clip_examples(&pass);
        }
        if (hear_out(&pass, begin + pass.rows == count, &objective)) return STOP;
        if (work->norms) write_norms(&pass);
        if (stores) all_listen(&pass, step, begin ? ADD_GRADS : STORE_GRADS, GRADS);
        else all_listen(&pass, step, work->optimizer, PARAMS);
        if ((several || clips) && meet(net, work, pass.thread)) return STOP;
    }
    pass.terms = terms;
    if (clips && clip(&pass)) return STOP;
    if (stores && work->mode == TRAIN)
        for (num l = net->lowest; l < net->depth; l++) {
            if (is_frozen(work, l)) continue;
            struct rule rule = rule_for(work, net->depth, step, l);
            move(&pass, &net->layers[l], &rule);
        }
    if (pass.thread > 0) return decide(net, work, pass.thread, GO_ON);
    await_crew(net, work);
    work->objectives[step] = objective;
    work->done = step + 1;
    if (work->mode == TRAIN && work->threads > 1) work->crowded = crowded(net, work);
    return decide(net, work, 0, work->crowded ? STOP : GO_ON);
}

/* Copy what the layers heard and said of the pass's examples. */
static void copy_deltas(const struct pass *pass) {
    struct net *net = pass->net;
    num first, next, place = pass->order - pass->work->order;
    share(pass->rows, pass->thread, pass->threads, &first, &next);
    for (num l = 0; l < net->depth; l++) {
        const struct dense *layer = &net->layers[l];
        struct rows from = heard(pass, layer);
        real *a = (real *)pass->work->incoming[l] + place * layer->incoming;
        real *d = (real *)pass->work->deltas[l] + place * layer->units;
        for (num r = first; r < next; r++) {
            memcpy(a + r * layer->incoming, from.at + r * from.stride, (size_t)layer->incoming * sizeof(real));
            for (num p = 0; p < layer->panels; p++) {
                num width = panel_width(layer, p), units = layer->units - p * PANEL;
                memcpy(d + r * layer->units + p * PANEL, panel_delta(layer, net->setup.capacity, p) + r * width,
                       (size_t)(units < PANEL ? units : PANEL) * sizeof(real));
            }
        }
    }
}

/* Examples speak and nobody listens: outputs, losses, or deltas. */
static int only_speak(struct pass pass) {
    const struct work *work = pass.work;
    num count = work->rows, capacity = pass.net->setup.capacity;
    for (num begin = 0; begin < count; begin += capacity) {
        pass.order = work->order + begin;
        pass.rows = count - begin < capacity ? count - begin : capacity;
        assign(&pass);
        struct fetch fetch = next_rows(&pass);
        pass.fetch = &fetch;
        if (speak(&pass, count) || meet(pass.net, work, pass.thread)) return STOP;
        if (work->mode == DELTAS) {
            copy_deltas(&pass);
            if (meet(pass.net, work, pass.thread)) return STOP;
        }
    }
    return GO_ON;
}

/* One thread's part of a call; work->threads threads make it at the same time. */
EXPORT void NAME(run)(void *session, struct work *work, int64_t thread) {
    struct net *net = session;
    uint64_t before = flush_to_zero();
    struct front *front = &net->fronts[thread];
    int listening = work->mode <= DELTAS;
    struct pass pass = {.net = net, .work = work, .thread = thread, .threads = work->threads,
                        .front = front, .listening = listening,
                        .squares = listening && (work->norms || work->clip_examples > 0),
                        .shares = net->coupled && work->by_chance ? net->ones : front->weights};
    front->phase = 0;
    atomic_store(&net->spans[thread].word, 0);
    turn_panels(net, work, 0, thread, front->copy);
    if (thread == 0) {
        prepare(net, work);
        net->begun = nanoseconds();
        atomic_store(&net->waited, 0);
    }
    if (!meet(net, work, thread)) {
        if (work->mode <= GRADIENTS)
            for (num step = work->begin; step < work->steps; step++) {
                if (take_step(pass, step)) break;
            }
        else if (work->mode != NOTHING) only_speak(pass);
    }
    turn_panels(net, work, 1, thread, front->copy);
    for (int k = 0; thread == 0 && k < ARRAYS; k++) work->in_panels[k] = work->arrays[k] && work->leave[k];
    put_back(before);
}

#endif
