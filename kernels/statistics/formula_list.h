#pragma once

// The formulas of statistics_formulas.h, for X(name) of each.
#define VOXGRAD_STATISTIC_FORMULAS(X) X(Variance) X(Deviation) X(L1) X(L2) X(LogSumExp)
