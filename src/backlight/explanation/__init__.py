"""Why a network learnt what it learnt: wishes, the chain rule, sensitivity, moves, health."""
