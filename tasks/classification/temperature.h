#pragma once
#include <functional>

namespace voxgrad {

// Temperature scaling (Guo et al. 2017): logits are divided by t > 0, which changes neither the most probable of several classes nor the
// order of cases by the probability of one of two. The t from 1/20 to 20 with the least nll(t), by golden-section search over ln t, as
// nll of a softmax has one minimum over 1 / t. Where the least lies at an end, as when every case is classified right with any margin, the
// cases do not say how sure the classifier may be, and 1 is the answer.
double fitted_temperature(const std::function<double(double t)>& nll);

}  // namespace voxgrad
