// The node of an op in the graph of autograd.
#pragma once

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/saved_variable.h>
#include <torch/csrc/dynamo/compiled_autograd.h>
#include <torch/version.h>

#include "host_core.h"

// Before torch 2.8 compiled autograd takes no opaque calls; it refuses nodes of ours there, and says so.
#if TORCH_VERSION_MAJOR > 2 || TORCH_VERSION_MINOR >= 8
#define SYMOP_COMPILED_AUTOGRAD
#endif

namespace symop {

using torch::autograd::Edge;
using torch::autograd::Node;
using torch::autograd::SavedVariable;
using torch::autograd::variable_list;

// An intrusive pointer from torch 2.13 on, a shared one before.
using NodePointer = std::decay_t<decltype(std::declval<Edge>().function)>;

// What backward knows of a call, apart from tensors.
struct Recorded {
  std::shared_ptr<Core> core;
  Shapes shapes;
  int dtype = 0;
  uint64_t done = 0;                    // wanted arguments whose gradient was computed forward
  c10::SmallVector<double, 4> numbers;  // these gradients, for a cotangent of one
};

// The product of a cotangent and a number in the type that is computed in, rounded once.
inline at::Tensor scaled(const at::Tensor& cotangent, double number, const Recorded& call) {
  const auto type = scalar_type(call.dtype);
  at::Tensor result = empty({}, type);
  void* target = result.mutable_data_ptr();
  const void* source = cotangent.const_data_ptr();
  const bool precise = call.core->forward->temp_is_double;
  auto put = [&](auto zero) {
    using T = decltype(zero);
    const T value = *static_cast<const T*>(source);
    *static_cast<T*>(target) = precise
        ? static_cast<T>(static_cast<double>(value) * number)
        : static_cast<T>(static_cast<float>(value) * static_cast<float>(number));
  };
  switch (type) {
    case c10::ScalarType::Double:
      *static_cast<double*>(target) = *static_cast<const double*>(source) * number;
      break;
    case c10::ScalarType::Half:
      put(c10::Half());
      break;
    case c10::ScalarType::BFloat16:
      put(c10::BFloat16());
      break;
    default:
      put(float());
  }
  return result;
}

// The gradients by the callable for everything that the host does not run itself.
inline void next_order(const Recorded& call, uint64_t needs, const variable_list& saved,
                       const variable_list& cotangents, variable_list& gradients) {
  const Core& core = *call.core;
  Gil gil;
  const size_t n_arguments = core.forward->n_tensors;
  Object shapes = Object::checked(PyTuple_New(static_cast<Py_ssize_t>(n_arguments)));
  for (size_t k = 0; k < n_arguments; ++k) {
    const Sizes sizes = call.shapes.of(k);
    PyObject* shape = PyTuple_New(static_cast<Py_ssize_t>(sizes.size()));
    if (shape == nullptr) {
      throw_python();
    }
    PyTuple_SET_ITEM(shapes.get(), static_cast<Py_ssize_t>(k), shape);
    for (size_t axis = 0; axis < sizes.size(); ++axis) {
      PyTuple_SET_ITEM(shape, static_cast<Py_ssize_t>(axis), PyLong_FromLongLong(sizes[axis]));
    }
  }
  Object arguments = Object::checked(
      PyTuple_New(static_cast<Py_ssize_t>(2 + saved.size() + cotangents.size())));
  PyTuple_SET_ITEM(arguments.get(), 0, PyLong_FromUnsignedLongLong(needs));
  PyTuple_SET_ITEM(arguments.get(), 1, shapes.forget());
  Py_ssize_t at = 2;
  for (const auto* values : {&saved, &cotangents}) {
    for (const at::Tensor& value : *values) {
      PyTuple_SET_ITEM(arguments.get(), at++, THPVariable_Wrap(value));  // None if undefined
    }
  }
  Object answer =
      Object::checked(PyObject_Call(core.next_order.get(), arguments.get(), nullptr));
  const auto n_needs = static_cast<Py_ssize_t>(__builtin_popcountll(needs));
  if (!PyTuple_Check(answer.get()) || PyTuple_GET_SIZE(answer.get()) != n_needs) {
    PyErr_SetString(PyExc_TypeError, "next_order gives a tuple of one gradient a bit of needs");
    throw_python();
  }
  at = 0;
  for (size_t j = 0; j < core.wanted.size(); ++j) {
    if ((needs >> j & 1) == 0) {
      continue;
    }
    PyObject* gradient = PyTuple_GET_ITEM(answer.get(), at++);
    if (gradient == Py_None) {
      continue;
    }
    if (!THPVariable_Check(gradient)) {
      PyErr_SetString(PyExc_TypeError, "next_order gives tensors or None");
      throw_python();
    }
    gradients[core.wanted[j]] = THPVariable_Unpack(gradient);
  }
}

// A cotangent that nobody gave, for Python: zeros that take no memory.
// `shape_of(k)` is the shape of output k.
template <class ShapeOf>
void materialize(const Recorded& call, ShapeOf shape_of, variable_list& cotangents) {
  for (size_t k = 0; k < cotangents.size(); ++k) {
    if (!cotangents[k].defined()) {
      at::Tensor zero = empty({}, scalar_type(call.dtype));
      std::memset(zero.mutable_data_ptr(), 0, zero.element_size());
      cotangents[k] = zero.expand(shape_of(k));
    }
  }
}

inline bool is_ours(const at::Tensor& tensor, int dtype) {
  return tensor_is_plain(tensor) && dtype_code(tensor.scalar_type()) == dtype;
}

// Gradients by kernels; whether that was possible. Fills in those of the wanted arguments `needs`.
inline bool run_gradient(const Recorded& call, uint64_t needs, const variable_list& saved,
                         const variable_list& cotangents, variable_list& gradients) {
  Core& core = *call.core;
  const uint64_t done = needs & call.done;
  if (done != 0) {
    if (!is_ours(cotangents[0], call.dtype) || cotangents[0].dim() != 0) {
      return false;
    }
    size_t at = 0;
    for (size_t j = 0; j < core.wanted.size(); ++j) {
      if ((done >> j & 1) != 0) {
        gradients[core.wanted[j]] = scaled(cotangents[0], call.numbers[at], call);
      }
      at += call.done >> j & 1;
    }
    needs &= ~done;
    if (needs == 0) {
      return true;
    }
  }
  const Derived* derived = core.gradient(needs);
  if (derived->routine == nullptr) {
    return false;
  }
  const Routine& routine = *derived->routine;
  Run run(routine, call.shapes, call.dtype, core.kernels, core.ask_kernel.get(), false);
  for (size_t k = 0; k < derived->inputs.size(); ++k) {
    const auto position = static_cast<size_t>(derived->inputs[k]);
    const bool is_saved = position < saved.size();
    const at::Tensor& value = is_saved ? saved[position] : cotangents[position - saved.size()];
    if (!value.defined()) {
      if (is_saved) {
        return false;
      }
      run.tensors.push_back(nullptr);
      continue;
    }
    const bool fits = routine.slots[k].kind == Kind::mask
        ? tensor_is_plain(value) && value.scalar_type() == c10::ScalarType::Bool
        : is_ours(value, call.dtype);
    if (!fits) {
      return false;
    }
    run.tensors.push_back(&value);
  }
  if (run() != Outcome::done) {
    return false;
  }
  size_t at = 0;
  for (size_t j = 0; j < core.wanted.size(); ++j) {
    if ((needs >> j & 1) != 0) {
      gradients[core.wanted[j]] = std::move(run.outputs[at++]);
    }
  }
  return true;
}

// Gradients of a call, by kernels where that is possible; a further derivative is none of theirs.
template <class ShapeOf>
void run_backward(const Recorded& call, ShapeOf shape_of, uint64_t needs,
                  const variable_list& saved, variable_list& cotangents,
                  variable_list& gradients) {
  bool given = false;
  bool tracked = false;
  for (const at::Tensor& cotangent : cotangents) {
    given = given || cotangent.defined();
    tracked = tracked || (cotangent.defined() && requires_grad(cotangent));
  }
  if (needs == 0 || !given) {
    return;
  }
  for (const at::Tensor& value : saved) {
    tracked = tracked || (value.defined() && requires_grad(value));
  }
  const bool records = tracked && c10::GradMode::is_enabled();
  if (thread_is_plain() && !records && run_gradient(call, needs, saved, cotangents, gradients)) {
    return;
  }
  std::fill(gradients.begin(), gradients.end(), at::Tensor());
  materialize(call, shape_of, cotangents);
  next_order(call, needs, saved, cotangents, gradients);
}

struct HostNode final : Node {
  Recorded call;
  std::vector<SavedVariable> saved;

  std::string name() const override {
    return call.core->node_name;
  }

  void release_variables() override {
    std::lock_guard<std::mutex> lock(mutex_);
    for (SavedVariable& value : saved) {
      value.reset_data();
    }
  }

  variable_list apply(variable_list&& cotangents) override {
    variable_list gradients(num_outputs());
    auto shape_of = [this](size_t k) {
      return C10_AS_INTARRAYREF_SLOW(input_metadata(k).shape_as_dim_vector());
    };
    run_backward(call, shape_of, needs(), unpacked(), cotangents, gradients);
    return gradients;
  }

#ifdef SYMOP_COMPILED_AUTOGRAD
  void compiled_args(torch::dynamo::autograd::CompiledNodeArgs& args) const override;
  variable_list apply_with_saved(const variable_list& cotangents,
                                 torch::dynamo::autograd::SwapSavedVariables& swap) override;
#endif

 private:
  // The wanted arguments whose gradient somebody waits for.
  uint64_t needs() const {
    uint64_t found = 0;
    for (size_t j = 0; j < call.core->wanted.size(); ++j) {
      found |= uint64_t{task_should_compute_output(call.core->wanted[j])} << j;
    }
    return found;
  }

  variable_list unpacked() {
    // Not longer than this: hooks and callables below may come back to this node.
    std::lock_guard<std::mutex> lock(mutex_);
    variable_list values;
    values.reserve(saved.size());
    for (SavedVariable& value : saved) {
      values.push_back(value.unpack(getptr()));
    }
    return values;
  }
};

// A node and what owns it, whichever of the two pointers torch has.
template <class Pointer = NodePointer, class Made = HostNode>
Pointer new_node(HostNode*& node) {
  if constexpr (std::is_same_v<Pointer, std::shared_ptr<Node>>) {
    node = new Made;
    // Found beside Node; it takes long chains apart without recursion.
    return Pointer(static_cast<Made*>(node), [](Made* old) { deleteNode(old); });
  } else {
    auto owner = c10::make_intrusive<Made>();
    node = owner.get();
    return owner;
  }
}

}  // namespace symop
