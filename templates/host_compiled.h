// The node under compiled autograd, which records the calls of nodes in a graph of its own.
//
// The gradient is one call there, which runs the same kernels on tensors and the operations of Python
// while it is traced.
#pragma once

#include "host_node.h"

namespace symop {

#ifdef SYMOP_COMPILED_AUTOGRAD

inline void HostNode::compiled_args(torch::dynamo::autograd::CompiledNodeArgs& args) const {
  // Graphs are kept by this: an op, a type, and shapes.
  args.collect(static_cast<uint64_t>(reinterpret_cast<uintptr_t>(call.core.get())));
  args.collect(static_cast<int64_t>(call.dtype));
  for (size_t k = 0; k < call.core->forward->n_tensors; ++k) {
    const Sizes sizes = call.shapes.of(k);
    args.collect(static_cast<int64_t>(sizes.size()));
    for (int64_t size : sizes) {
      args.collect(size);
    }
  }
  args.collect(saved, true);
}

inline variable_list HostNode::apply_with_saved(
    const variable_list& cotangents, torch::dynamo::autograd::SwapSavedVariables& swap) {
  namespace compiled = torch::dynamo::autograd;
  swap.before(saved);
  variable_list values;
  uint64_t kept = 0;
  for (size_t k = 0; k < saved.size(); ++k) {
    at::Tensor value = saved[k].unpack(getptr());
    if (value.defined()) {
      kept |= uint64_t{1} << k;
      values.push_back(std::move(value));
    }
  }
  compiled::PackedArgs packed;
  packed.pack(values);
  auto args = std::move(packed).vec();
  std::vector<at::TypePtr> schema{args[0].type()};

  // What was computed forward belongs to this call alone; the graph may run for others.
  auto general = std::make_shared<Recorded>();
  general->core = call.core;
  general->shapes = call.shapes;
  general->dtype = call.dtype;
  std::vector<std::vector<int64_t>> shapes;
  for (uint32_t k = 0; k < num_inputs(); ++k) {
    const auto sizes = C10_AS_INTARRAYREF_SLOW(input_metadata(k).shape_as_dim_vector());
    shapes.emplace_back(sizes.begin(), sizes.end());
  }
  auto run = [general, shapes, kept, n_saved = saved.size(), needs = needs(), n = num_outputs()](
                 const variable_list& given, const std::vector<c10::IValue>& packed_args) {
    compiled::PackedArgs unpacking(packed_args);
    const auto tensors = unpacking.unpack<variable_list>();
    variable_list all(n_saved);
    for (size_t k = 0, at = 0; k < n_saved; ++k) {
      if ((kept >> k & 1) != 0) {
        all[k] = tensors[at++];
      }
    }
    variable_list gradients(n);
    variable_list own = given;
    auto shape_of = [&](size_t k) { return Sizes(shapes[k]); };
    run_backward(*general, shape_of, needs, all, own, gradients);
    return gradients;
  };
  const auto& interface = compiled::getPyCompilerInterface();
  const auto function = interface->bind_function(
      swap.get_py_compiler(), name(), run, schema, /*is_custom_function=*/true,
      /*is_traceable=*/true);
  const auto metadata = compiled::IValuePacker<
      std::vector<std::optional<torch::autograd::InputMetadata>>>::pack(
      compiled::get_input_metadata(next_edges()));
  auto results = interface->call_function(
      swap.get_py_compiler(), "apply_functional", function, cotangents, args, metadata);
  swap.after(saved);
  return results;
}

#endif

}  // namespace symop
