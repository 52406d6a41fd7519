#include <iostream>
#include <optional>

#include "benchmarks/measure.h"
#include "core/memory/memory.h"
#include "core/device/parallel.h"

namespace voxgrad::bench {
namespace {

DType floating_dtype(const std::string& text) {
  for (DType t : {DType::f32, DType::f64, DType::bf16, DType::f16})
    if (text == name_of(t)) return t;
  fail("\"", text, "\" is no floating dtype: f32, f64, bf16 and f16 are");
}

class Server {
 public:
  Server(const std::vector<Case>& cases, Device device) : cases_(cases), device_(device) {}

  Json answer(const Json& request) {
    const std::string what = request.at("do");
    if (what == "list") return list();
    if (what == "prepare") return prepare(request);
    if (what == "drop") return drop();
    check(job_.has_value(), "\"", what, "\" before \"prepare\"");
    if (what == "facts") return job_->facts ? job_->facts() : Json::object();
    check(what == "run", "\"", what, "\" is no request");
    for (const Contender& c : job_->contenders)
      if (c.who == request.at("who").get<std::string>()) return {{"seconds", time_runs(c.run, request.at("repeat"), device_)}};
    fail("no contender ", request.at("who"), " in the prepared work");
  }

 private:
  Json list() const {
    Json listed = Json::array();
    for (const Case& c : cases_) {
      Json dtypes = Json::array();
      for (DType t : c.dtypes) dtypes.push_back(name_of(t));
      listed.push_back({{"case", c.title()}, {"tags", c.tags}, {"dtypes", dtypes}, {"work", c.work}});
    }
    return {{"machine", machine_description(device_)}, {"cases", listed}};
  }
  Json prepare(const Json& request) {
    drop();
    const Setting s{.dtype = floating_dtype(request.at("dtype")), .threads = request.at("threads"), .device = device_};
    const std::string title = request.at("case");
    for (const Case& c : cases_) {
      if (c.title() != title) continue;
      set_threads(s.threads);
      job_ = c.prepare(s);
      Json who = Json::array();
      for (const Contender& contender : job_->contenders) who.push_back(contender.who);
      return {{"contenders", who}, {"flops", job_->flops}, {"bytes", job_->bytes}, {"once", job_->once}};
    }
    fail("no case \"", title, "\"");
  }
  Json drop() {
    job_.reset();
    trim_memory({});
    if (!device_.is_cpu()) trim_memory(device_);
    return Json::object();
  }

  const std::vector<Case>& cases_;
  Device device_;
  std::optional<Job> job_;
};

}  // namespace

void serve(const std::vector<Case>& cases, Device device) {
  Server server(cases, device);
  for (std::string line; std::getline(std::cin, line);) {
    Json reply;
    try {
      reply = server.answer(Json::parse(line));
    } catch (const std::exception& e) { reply = {{"error", e.what()}}; }
    std::cout << reply.dump() << std::endl;
  }
}

}  // namespace voxgrad::bench
