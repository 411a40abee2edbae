// A plain call: its tensors, the routine that runs, and the node behind its outputs.
#pragma once

#include <ATen/SequenceNumber.h>
#include <ATen/record_function.h>

#include "host_compiled.h"

namespace symop {

using Arguments = c10::SmallVector<const at::Tensor*, 8>;

// The tensors of a call; whether all of them are plain and of one type.
inline bool plain_arguments(const Core& core, PyObject* const* args, Arguments& tensors, int& dtype) {
  dtype = kOther;
  for (size_t k = 0; k < core.forward->n_tensors; ++k) {
    if (!THPVariable_CheckExact(args[k])) {
      return false;
    }
    const at::Tensor& tensor = THPVariable_Unpack(args[k]);
    if (!tensor_is_plain(tensor)) {
      return false;
    }
    if ((core.masks >> k & 1) != 0) {
      if (tensor.scalar_type() != c10::ScalarType::Bool) {
        return false;
      }
    } else {
      const int code = dtype_code(tensor.scalar_type());
      if (code == kOther || (dtype != kOther && code != dtype)) {
        return false;
      }
      dtype = code;
    }
    tensors.push_back(&tensor);
  }
  return dtype != kOther;
}

// Puts a node behind the outputs.
inline void record(const std::shared_ptr<Core>& core, const Arguments& tensors, Run& run,
                   Shapes&& shapes, uint64_t kept, uint64_t done, const uint64_t* cells) {
  HostNode* node = nullptr;
  NodePointer owner = new_node(node);
  torch::autograd::edge_list edges;
  edges.reserve(tensors.size());
  for (const at::Tensor* tensor : tensors) {
    edges.push_back(
        requires_grad(*tensor) ? torch::autograd::impl::gradient_edge(*tensor) : Edge());
  }
  node->set_next_edges(std::move(edges));
  for (at::Tensor& output : run.outputs) {
    const auto number = node->add_input_metadata(output);
    torch::autograd::impl::set_gradient_edge(output, {owner, number});
  }
  node->saved.reserve(core->saved.size());
  for (size_t k = 0; k < core->saved.size(); ++k) {
    const auto [is_output, position] = core->saved[k];
    if ((kept >> k & 1) == 0) {
      node->saved.emplace_back();
    } else if (is_output) {
      node->saved.emplace_back(run.outputs[position], true);
    } else {
      node->saved.emplace_back(*tensors[position], false);
    }
  }
  node->call.core = core;
  node->call.dtype = run.dtype;
  node->call.shapes = std::move(shapes);
  node->call.done = done;
  for (int k = 0; k < __builtin_popcountll(done); ++k) {
    double number;
    float narrow;
    if (run.routine.temp_is_double || run.dtype == 1) {
      std::memcpy(&number, cells + k, sizeof number);
    } else {
      std::memcpy(&narrow, cells + k, sizeof narrow);
      number = narrow;
    }
    node->call.numbers.push_back(number);
  }
}

inline PyObject* wrapped(c10::SmallVector<at::Tensor, 2>& outputs) {
  if (outputs.size() == 1) {
    return THPVariable_Wrap(std::move(outputs[0]));
  }
  Object tuple = Object::checked(PyTuple_New(static_cast<Py_ssize_t>(outputs.size())));
  for (size_t k = 0; k < outputs.size(); ++k) {
    PyTuple_SET_ITEM(
        tuple.get(), static_cast<Py_ssize_t>(k), THPVariable_Wrap(std::move(outputs[k])));
  }
  return tuple.forget();
}

// Makes the call a span in the profile of torch, if somebody makes one.
class Profiled {
 public:
  Profiled(const char* name, bool recorded) {
    auto callbacks = at::getStepCallbacksUnlessEmpty(at::RecordScope::FUNCTION);
    if (C10_UNLIKELY(callbacks.has_value())) {
      // The number of the node that is to come ties its span to this one.
      const auto number = recorded ? static_cast<int64_t>(at::sequence_number::peek()) : -1;
      span_.emplace(std::move(*callbacks));
      span_->before(name, number);
    }
  }

 private:
  std::optional<at::RecordFunction> span_;
};

// The result of a plain call; null, without an exception, where it is one for the fallback.
inline PyObject* run_plain(const std::shared_ptr<Core>& core, PyObject* const* args) {
  Arguments tensors;
  int dtype;
  if (!thread_is_plain() || !plain_arguments(*core, args, tensors, dtype)) {
    return nullptr;
  }
  bool recorded = false;
  uint64_t needs = 0;
  if (c10::GradMode::is_enabled()) {
    for (const at::Tensor* tensor : tensors) {
      recorded = recorded || requires_grad(*tensor);
    }
    for (size_t j = 0; recorded && j < core->wanted.size(); ++j) {
      needs |= uint64_t{requires_grad(*tensors[core->wanted[j]])} << j;
    }
  }
  const Routine* joint = nullptr;  // computes the loss with gradients
  uint64_t kept = 0;
  uint64_t done = 0;
  std::array<uint64_t, kMaxResults> cells;
  if (needs != 0) {
    const Derived* gradient = core->gradient(needs);
    if (gradient->routine == nullptr) {
      return nullptr;
    }
    kept = gradient->kept;
    if (core->ask_loss.get() != nullptr) {
      for (size_t j = 0; j < core->wanted.size(); ++j) {
        done |= uint64_t{tensors[core->wanted[j]]->dim() == 0} << j;
      }
      done &= needs;
      const Derived* loss = done != 0 && __builtin_popcountll(done) < int{kMaxResults}
          ? core->loss(done, needs)
          : nullptr;
      if (loss != nullptr && loss->routine != nullptr) {
        joint = loss->routine.get();
      } else {
        done = 0;
      }
    }
  }
  const Profiled profiled(core->op_name.c_str(), recorded);
  Shapes shapes;
  shapes.set(tensors);
  std::optional<Run> run;
  auto runs = [&](const Routine& routine, uint64_t* numbers) {
    run.emplace(routine, shapes, dtype, core->kernels, core->ask_kernel.get(), true);
    run->cells = numbers;
    run->tensors = tensors;
    return (*run)() == Outcome::done;
  };
  if (joint == nullptr || !runs(*joint, cells.data())) {
    done = 0;
    if (!runs(*core->forward, nullptr)) {
      return nullptr;
    }
  }
  if (recorded) {
    record(core, tensors, *run, std::move(shapes), kept, done, cells.data());
  }
  return wrapped(run->outputs);
}

}  // namespace symop
