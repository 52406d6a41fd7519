#include "core/graph.h"

#include <algorithm>
#include <sstream>
#include <unordered_map>

namespace voxgrad {

std::vector<GraphEntry> graph_of(const Tensor& result) {
  std::vector<const Node*> nodes, open = {Graph::node(result).get()};
  std::unordered_map<const Node*, int64_t> place;
  while (!open.empty()) {
    const Node* n = open.back();
    open.pop_back();
    if (!n || !place.emplace(n, 0).second) continue;
    nodes.push_back(n);
    for (auto& in : n->inputs) open.push_back(in.node.get());
  }
  std::sort(nodes.begin(), nodes.end(), [](const Node* a, const Node* b) { return a->order < b->order; });
  for (size_t i = 0; i < nodes.size(); ++i) place[nodes[i]] = int64_t(i);
  std::vector<GraphEntry> out;
  for (const Node* n : nodes) {
    GraphEntry e{.op = n->op, .leaf = n->state == Node::State::leaf, .outputs = n->outputs};
    for (auto& in : n->inputs) e.inputs.push_back({in.info, in.node ? place[in.node.get()] : -1, in.output});
    out.push_back(std::move(e));
  }
  return out;
}

std::string describe_graph(const Tensor& result) {
  const std::vector<GraphEntry> graph = graph_of(result);
  std::ostringstream o;
  for (size_t i = 0; i < graph.size(); ++i) {
    const GraphEntry& e = graph[i];
    o << '%' << i << " = " << e.op;
    for (size_t k = 0; k < e.inputs.size(); ++k) {
      const GraphEntry::Input& in = e.inputs[k];
      o << (k ? ", " : "(");
      if (in.entry < 0) o << (in.tensor.present ? "constant " : "") << in.tensor;
      else o << '%' << in.entry;
      if (in.entry >= 0 && graph[size_t(in.entry)].outputs.size() > 1) o << '.' << in.output;
    }
    o << (e.inputs.empty() ? " -> " : ") -> ");
    for (size_t k = 0; k < e.outputs.size(); ++k) o << (k ? ", " : "") << e.outputs[k];
    o << '\n';
  }
  return o.str();
}

}  // namespace voxgrad
