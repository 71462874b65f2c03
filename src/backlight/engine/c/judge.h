/* Every example speaks, third part: its outputs are judged. */
#ifndef BACKLIGHT_JUDGE_H
#define BACKLIGHT_JUDGE_H

#include "backward.h"
#include "losses.h"

/* Judge up to LANES examples from `row` on, and leave their errors d [example][output]. */
static void judge_some(const struct pass *pass, num row, num rows, real *d) {
    struct net *net = pass->net;
    const struct setup *setup = &net->setup;
    const struct dense *layer = &net->layers[net->depth - 1];
    const struct work *work = pass->work;
    const num outputs = layer->units, place = pass->order - work->order + row;
    real *z = pass->front->judged, *a = z + layer->padded * LANES, *y = a + layer->padded * LANES;
    real *errors = y + layer->padded * LANES;
    int64_t output = layer->ending;
    const int judged = work->mode != OUTPUTS;
    vec total = {0};
    turn(layer->out.at + row * layer->out.stride, layer->out.stride, z, LANES, rows, outputs);
    for (num r = 0; judged && r < rows; r++) write_targets(setup, work, pass->order[row + r], y + r);
    for (num g = 0, at = 0; g < setup->groups; at += setup->sizes[g++] * LANES) {
        const num size = setup->sizes[g];
        vec log_sum = {0};
        if (work->smoothing > 0) smooth_targets(work->smoothing, output == SOFTMAX, y + at, size);
        if (output == SOFTMAX) log_sum = softmax(z + at, a + at, size);
        else activate(output, z + at, LANES, a + at, LANES, size, 1);
        if (judged) total = losses_of(setup, output == SOFTMAX, z + at, a + at, y + at, size, log_sum, total);
        if (pass->listening) errors_of(setup, output, z + at, a + at, y + at, size, errors + at);
    }
    if (work->outputs) turn(a, LANES, (real *)work->outputs + place * outputs, outputs, outputs, rows);
    if (!judged) return;
    real losses[LANES];
    store(losses, total);
    memcpy(net->losses + row, losses, (size_t)rows * sizeof(real));
    if (work->losses) memcpy((real *)work->losses + place, losses, (size_t)rows * sizeof(real));
    if (pass->listening) turn(errors, LANES, d, layer->padded, outputs, rows);
}

/* The last layer: every thread passes its own examples forward, judges them, and hands their errors over. */
static void judge(const struct pass *pass) {
    struct net *net = pass->net;
    struct dense *layer = &net->layers[net->depth - 1];
    const num rows = pass->next - pass->first;
    forward_own(pass, layer);
    if (rows <= 0 || stopped(pass->work)) return;
    real *d = net->error + pass->first * layer->padded;
    for (num r = 0; r < rows; r += LANES)
        judge_some(pass, pass->first + r, rows - r < LANES ? rows - r : LANES, d + r * layer->padded);
    if (!pass->listening) return;
    if (pass->shares == net->ones)
        for (num r = 0; r < rows; r++)
            for (num k = 0; k < layer->padded; k += LANES) {
                real *at = d + r * layer->padded + k;
                store(at, load(at) * pass->front->weights[pass->first + r]);
            }
    chain_backward(pass->work, layer->chain, layer->links, pass->first, 0, d, layer->padded, rows,
                   layer->padded / LANES);
    for (num p = 0; p < layer->panels; p++) hand_over(pass, layer, p, pass->first, rows, d + p * PANEL, layer->padded);
}

#endif
