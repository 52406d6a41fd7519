#pragma once
#include <string>
#include <vector>

#include "data/dataset.h"

namespace voxgrad {

// What a case of a classification says of the K classes.
enum class ClassTarget {
  single,       // it is of one of them
  multi_label,  // of any number of them
  ordinal       // of one of them, and they have an order: grades
};

// The class that a case names by its "class" (or a "label" that is no file): a name, or a number that counts the names in `labels`.
// where: the file, for messages.
int class_of(const DatasetCase&, const std::vector<std::string>& labels, const std::string& where);
// Its one class, or with multi_label those of a list of names or numbers, ascending.
std::vector<int> classes_of(const DatasetCase&, const std::vector<std::string>& labels, const std::string& where, ClassTarget);
// Whether the data set has lists of classes.
bool has_lists_of_classes(const Dataset&);

// Weights of K classes from the training cases. single and ordinal: n / (C n_c) for n_c of n cases in class c and the C classes that occur
// (scikit-learn's "balanced"). multi_label: of positive targets, (n - n_c) / n_c (PyTorch's advice for pos_weight). 1 where n_c is 0.
std::vector<double> balanced_weights(const Dataset&, const std::vector<std::string>& labels, ClassTarget);

}  // namespace voxgrad
