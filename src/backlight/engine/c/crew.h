/* The threads of a call: how they share work, wait for one another, and agree on going on. */
#ifndef BACKLIGHT_CREW_H
#define BACKLIGHT_CREW_H

#include <time.h>

#include "layers.h"

#if defined(_WIN32)
#include <windows.h>
#define give_way() SwitchToThread()
#else
#include <sched.h>
#define give_way() sched_yield()
#endif

enum { GO_ON, STOP };
enum { SPINS = 2000 };

INLINE void breathe(void) {
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Whether to break off: a step so large that a phase of it takes long is left in its middle. */
INLINE int stopped(const struct work *work) { return *(volatile const int64_t *)&work->stop != 0; }

INLINE int64_t nanoseconds(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Wait until `what` is `value`, or until it is no longer: spin, then let others run and say how long that took. */
static void wait_for(struct net *net, atomic_ptrdiff_t *what, num value, int reach) {
    int64_t since = 0;
    for (num spins = 0; (atomic_load_explicit(what, memory_order_acquire) == value) != reach; spins++)
        if (spins < SPINS) {
            breathe();
        } else {
            if (!since) since = nanoseconds();
            give_way();
        }
    if (since) atomic_fetch_add_explicit(&net->waited, nanoseconds() - since, memory_order_relaxed);
}

/* Thread 0 waits here until all others have come. */
static void await_crew(struct net *net, const struct work *work) {
    if (work->threads > 1) wait_for(net, &net->arrived, work->threads - 1, 1);
}

/* All meet; thread 0 has awaited the others, and says whether to go on. It looks at the stop flag for all: were each
 * to look for itself, they would disagree. */
static int decide(struct net *net, const struct work *work, num thread, int verdict) {
    if (thread == 0) {
        if (stopped(work)) verdict = STOP;
        atomic_store_explicit(&net->verdict, verdict, memory_order_relaxed);
        if (work->threads > 1) {
            atomic_store_explicit(&net->arrived, 0, memory_order_relaxed);
            atomic_fetch_add_explicit(&net->turn, 1, memory_order_release);
        }
        return verdict;
    }
    num turn = atomic_load_explicit(&net->turn, memory_order_relaxed);
    atomic_fetch_add_explicit(&net->arrived, 1, memory_order_release);
    wait_for(net, &net->turn, turn, 0);
    return atomic_load_explicit(&net->verdict, memory_order_relaxed);
}

static int meet(struct net *net, const struct work *work, num thread) {
    if (thread == 0) await_crew(net, work);
    return decide(net, work, thread, GO_ON);
}

/* Whether the crew's members mostly wait for ones that do not run: fewer would be done sooner. */
static int crowded(struct net *net, const struct work *work) {
    const int64_t shortest = 5000000, elapsed = nanoseconds() - net->begun;
    int64_t waited = atomic_load_explicit(&net->waited, memory_order_relaxed);
    return elapsed > shortest && 10 * waited > 3 * elapsed * (work->threads - 1);
}

/* The thread's part of `count` items. */
INLINE void share(num count, num thread, num threads, num *first, num *next) {
    *first = count * thread / threads;
    *next = count * (thread + 1) / threads;
}

enum { SPAN_BITS = 24 };

INLINE uint64_t span_word(uint64_t phase, uint64_t first, uint64_t next) {
    return phase << (2 * SPAN_BITS) | first << SPAN_BITS | next;
}

/* Begin a phase of `count` items with the thread's part of them. All threads begin the same phases in the same order. */
INLINE void begin_items(struct net *net, num thread, num threads, num count) {
    num first, next;
    share(count, thread, threads, &first, &next);
    uint64_t phase = ++net->fronts[thread].phase & 0xFFFF;
    atomic_store_explicit(&net->spans[thread].word, span_word(phase, (uint64_t)first, (uint64_t)next), memory_order_release);
}

/* Take an item from one end of a thread's part; -1 where that is done, or belongs to another phase. */
INLINE num take_item(struct span *span, uint64_t phase, int from_end) {
    const uint64_t mask = ((uint64_t)1 << SPAN_BITS) - 1;
    uint64_t word = atomic_load_explicit(&span->word, memory_order_acquire);
    for (;;) {
        uint64_t first = word >> SPAN_BITS & mask, next = word & mask;
        if (word >> (2 * SPAN_BITS) != phase || first >= next) return -1;
        uint64_t left = from_end ? span_word(phase, first, next - 1) : span_word(phase, first + 1, next);
        if (atomic_compare_exchange_weak(&span->word, &word, left)) return (num)(from_end ? next - 1 : first);
    }
}

/* The next item: of the thread's own part, and then of the parts of others that are slower; -1 when all are taken.
 * Who works on an item changes no bit of it. */
INLINE num next_item(struct net *net, num thread, num threads) {
    const uint64_t phase = net->fronts[thread].phase & 0xFFFF;
    num item = take_item(&net->spans[thread], phase, 0);
    for (num other = 1; item < 0 && other < threads; other++)
        item = take_item(&net->spans[(thread + other) % threads], phase, 1);
    return item;
}

/* Numbers too small for the format become 0 while the engine works; what was set before is put back. */
INLINE uint64_t flush_to_zero(void) {
#if defined(__x86_64__)
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    return before;
#elif defined(__aarch64__)
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(before | (1u << 24)));
    return before;
#else
    return 0;
#endif
}

INLINE void put_back(uint64_t before) {
#if defined(__x86_64__)
    _mm_setcsr((unsigned)before);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(before));
#else
    (void)before;
#endif
}

#endif
