// onednn_peer.cpp - Products by oneDNN, in the form that the timer calls
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The weight is brought to the layout that oneDNN likes best beforehand, as a
// framework that runs a fixed network would; activations are row-major.

#include <dnnl.hpp>

#include <cstdio>
#include <memory>

using namespace dnnl;

namespace {
struct Product {
  engine cpu{engine::kind::cpu, 0};
  stream queue{cpu};
  memory weight, input, output;
  matmul primitive;
};
std::unique_ptr<Product> product;
} // namespace

extern "C" {
void prepare(float *w, int m, int k, int n) {
  product = std::make_unique<Product>();
  auto describe = [](memory::dims dims, memory::format_tag tag) {
    return memory::desc(dims, memory::data_type::f32, tag);
  };
  using tag = memory::format_tag;
  auto input = describe({n, k}, tag::ab), output = describe({n, m}, tag::ab);
  matmul::primitive_desc plan(
      matmul::desc(input, describe({k, m}, tag::any), output), product->cpu);
  product->primitive = matmul(plan);
  product->weight = memory(plan.weights_desc(), product->cpu);
  memory plain(describe({k, m}, tag::ba), product->cpu, w);
  reorder(plain, product->weight)
      .execute(product->queue, plain, product->weight);
  product->input = memory(input, product->cpu, nullptr);
  product->output = memory(output, product->cpu, nullptr);
  product->queue.wait();
}

void multiply(void *x, void *y) {
  product->input.set_data_handle(x);
  product->output.set_data_handle(y);
  product->primitive.execute(product->queue,
                             {{DNNL_ARG_SRC, product->input},
                              {DNNL_ARG_WEIGHTS, product->weight},
                              {DNNL_ARG_DST, product->output}});
  product->queue.wait();
}

const char *version() {
  static char text[64];
  const dnnl_version_t *v = dnnl_version();
  std::snprintf(text, sizeof(text), "oneDNN %d.%d.%d", v->major, v->minor,
                v->patch);
  return text;
}
}
