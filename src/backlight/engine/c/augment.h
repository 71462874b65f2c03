/* Rows are changed by chance while they are gathered; backlight.data.augment defines how. */
#ifndef BACKLIGHT_AUGMENT_H
#define BACKLIGHT_AUGMENT_H

#include "elastic.h"
#include "warp.h"

/* One thread's memory for it. */
struct room {
    struct canvas canvas;
    uint8_t *bytes;         /* drawn ones */
    uint32_t *words;        /* likewise, one per column */
    real *random, *smoothed; /* fields: [across, down][row][column] */
};

struct augmenter {
    struct augmentation spec;
    struct smoothing smoothing;
    real *normals; /* times the noise */
    int64_t *noisy, *column;
    num moves_row, half; /* half: how many bytes are drawn of each half */
    uint32_t key[2];
    struct room *rooms;
};

static int64_t *copied(struct net *net, const int64_t *from, num count) {
    int64_t *to = from ? (int64_t *)reserve(net, count * (num)(sizeof *to / sizeof(real))) : NULL;
    if (to) memcpy(to, from, (size_t)count * sizeof *to);
    return to;
}

INLINE int is_warped(const struct augmentation *spec) {
    return spec->rotate > 0 || spec->scale > 0 || spec->shear > 0 || spec->shift > 0 || spec->flip || spec->reach > 0;
}

static void open_room(struct net *net, struct augmenter *augmenter, struct room *room) {
    const struct augmentation *spec = &augmenter->spec;
    const num fields = spec->reach > 0 ? 2 * spec->height * augmenter->moves_row : 0;
    if (is_warped(spec)) room->canvas = open_canvas(net, spec->height, spec->width, spec->channels);
    room->bytes = (uint8_t *)reserve(net, 2 * augmenter->half / (num)sizeof(real) + VECTOR_BYTES);
    room->words = (uint32_t *)reserve(net, spec->columns + 4 * QUAD_LANES);
    room->random = reserve(net, fields);
    room->smoothed = reserve(net, fields);
}

static void open_augmenter(struct net *net) {
    const struct augmentation *spec = net->setup.augmentation;
    if (!spec) return;
    struct augmenter *augmenter = (struct augmenter *)reserve(net, sizeof *augmenter / sizeof(real) + 1);
    struct room *rooms = (struct room *)reserve(net, net->setup.threads * (num)(sizeof *rooms / sizeof(real) + 1));
    if (net->short_of_memory) return;
    *augmenter = (struct augmenter){.spec = *spec, .rooms = rooms};
    augmenter->moves_row = round_up(spec->width, PANEL);
    augmenter->half = round_up(net->setup.inputs + 7, 8 * QUAD_LANES);
    for (int k = 0; k < 2; k++) augmenter->key[k] = (uint32_t)spec->key[k];
    if (spec->reach > 0) augmenter->smoothing = open_smoothing(net, spec);
    augmenter->normals = reserve(net, spec->noise > 0 ? NORMALS : 0);
    augmenter->noisy = copied(net, spec->noisy, net->setup.inputs);
    augmenter->column = copied(net, spec->column, net->setup.inputs);
    for (num t = 0; t < net->setup.threads; t++) open_room(net, augmenter, &rooms[t]);
    if (net->short_of_memory) return;
    for (num k = 0; spec->noise > 0 && k < NORMALS; k++) augmenter->normals[k] = (real)(spec->noise * spec->normals[k]);
    net->augmenter = augmenter;
}

/* sin x and cos x for abs(x) <= pi, by their Taylor series. */
static void sine_cosine(double x, double *sine, double *cosine) {
    const double square = x * x;
    double s = 1, c = 1;
    UNROLL
    for (int k = 28; k > 0; k -= 2) {
        s = 1 - square * s * (1.0 / (k * (k + 1)));
        c = 1 - square * c * (1.0 / (k * (k - 1)));
    }
    *sine = x * s;
    *cosine = c;
}

/* Where each pixel of the new image is fetched from: the inverse of mirroring, scaling, shearing and turning about the
 * middle, then shifting; in the canvas's coordinates, whose border begins at -1. */
static struct map draw_map(const struct augmentation *spec, const struct chance *chance) {
    uint32_t words[4 * QUAD_LANES + 8];
    double from[7], sine, cosine, tilt_sine, tilt_cosine;
    draw_words(chance, MAP_DRAWS, 8, words);
    for (int k = 0; k < 7; k++) from[k] = 2 * uniform(words[k]) - 1;
    sine_cosine(spec->rotate * from[0], &sine, &cosine);
    sine_cosine(spec->shear * from[3], &tilt_sine, &tilt_cosine);
    const double tilt = tilt_sine / tilt_cosine, mirror = (int64_t)words[6] < spec->flip ? -1 : 1;
    const double wide = mirror / (1 + spec->scale * from[1]), high = 1 / (1 + spec->scale * from[2]);
    const double x = (double)(spec->width - 1) / 2, y = (double)(spec->height - 1) / 2;
    const double to_x = x + spec->shift * from[4], to_y = y + spec->shift * from[5];
    struct map map = {.across = {wide * (cosine + tilt * sine), wide * (sine - tilt * cosine)},
                      .down = {high * -sine, high * cosine}};
    map.across[2] = x - map.across[0] * to_x - map.across[1] * to_y + 1;
    map.down[2] = y - map.down[0] * to_x - map.down[1] * to_y + 1;
    return map;
}

static void draw_moves(const struct augmenter *augmenter, const struct room *room, const struct chance *chance,
                       struct map *map) {
    const num height = augmenter->spec.height, width = augmenter->spec.width, row = augmenter->moves_row;
    const struct smoothing *by = &augmenter->smoothing;
    draw_halves(chance, FIELD_DRAWS, (height * width + 7) / 8, room->bytes, room->bytes + augmenter->half);
    for (num field = 0; field < 2; field++)
        spread_bytes(room->bytes + field * augmenter->half, height, width, room->random + field * height * row, row);
    smooth_along(by, room->random, room->smoothed, 2 * height, width, row);
    for (num field = 0; field < 2; field++)
        smooth_across(by, room->smoothed + field * height * row, room->random + field * height * row, height, width, row);
    map->move_across = room->random;
    map->move_down = room->random + height * row;
    map->moves_row = row;
}

/* Draw the row's image anew: from its bytes, or from the pixels that stand in `out` already. */
static void warp_row(const struct augmenter *augmenter, struct room *room, const struct chance *chance,
                     const uint8_t *bytes, real scale, real *out) {
    struct map map = draw_map(&augmenter->spec, chance);
    if (augmenter->spec.reach > 0) draw_moves(augmenter, room, chance, &map);
    if (bytes) {
        place_bytes(&room->canvas, bytes);
        warp(&room->canvas, &map, 1, scale, out);
    } else {
        place_reals(&room->canvas, out);
        warp(&room->canvas, &map, 0, 1, out);
    }
}

/* Each number's own noise: one of NORMALS by the upper 12 bits of a half word. */
static void add_some_noise(const real *normals, const uint16_t *drawn, const int64_t *noisy, num count, real *out) {
    for (num k = 0; k < count; k++)
        if (!noisy || noisy[k]) out[k] += normals[drawn[k] >> 4];
}

static void add_noise(const struct augmenter *augmenter, const struct room *room, const struct chance *chance,
                      num inputs, real *out) {
    uint8_t *low = room->bytes, *high = low + augmenter->half;
    const num counters = (inputs + 7) / 8, first = least(4 * counters, inputs);
    const int64_t *noisy = augmenter->noisy;
    draw_halves(chance, NOISE_DRAWS, counters, low, high);
    add_some_noise(augmenter->normals, (const uint16_t *)low, noisy, first, out);
    add_some_noise(augmenter->normals, (const uint16_t *)high, noisy ? noisy + first : NULL, inputs - first, out + first);
}

/* A rectangle of background: between half and twice as high as a square of its area. */
static void erase(const struct augmentation *spec, const struct chance *chance, real *out) {
    uint32_t words[4 * QUAD_LANES];
    draw_words(chance, ERASE_DRAWS, 4, words);
    const double side = sqrt(spec->erase * uniform(words[0])), u = uniform(words[1]), stretch = (1 + u) / (2 - u);
    const double high = side * stretch, wide = side / stretch;
    const num rows = (num)((double)spec->height * (high < 1 ? high : 1) + 0.5);
    const num columns = (num)((double)spec->width * (wide < 1 ? wide : 1) + 0.5);
    const num top = (num)(uniform(words[2]) * (double)(spec->height - rows + 1));
    const num left = (num)(uniform(words[3]) * (double)(spec->width - columns + 1));
    for (num r = top; r < top + rows; r++)
        memset(out + (r * spec->width + left) * spec->channels, 0, (size_t)(columns * spec->channels) * sizeof(real));
}

static void silence_columns(const struct augmenter *augmenter, const struct room *room, const struct chance *chance,
                            num inputs, real *out) {
    draw_words(chance, COLUMN_DRAWS, augmenter->spec.columns, room->words);
    for (num k = 0; k < inputs; k++)
        if ((int64_t)room->words[augmenter->column[k]] < augmenter->spec.silence) out[k] = 0;
}

/* Change a row. `bytes`: the row itself where it is one of bytes that shall be warped; else it stands in `out`. */
static void augment_row(const struct net *net, num thread, const struct chance *chance, const uint8_t *bytes,
                        real scale, real *out) {
    const struct augmenter *augmenter = net->augmenter;
    const struct augmentation *spec = &augmenter->spec;
    struct room *room = &augmenter->rooms[thread];
    if (is_warped(spec)) warp_row(augmenter, room, chance, bytes, scale, out);
    if (spec->noise > 0) add_noise(augmenter, room, chance, net->setup.inputs, out);
    if (spec->erase > 0) erase(spec, chance, out);
    if (spec->silence) silence_columns(augmenter, room, chance, net->setup.inputs, out);
}

#endif
