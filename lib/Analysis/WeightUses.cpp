#include "prune/Analysis/WeightUses.h"
