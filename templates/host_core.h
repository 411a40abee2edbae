// One op: its routines, its kernels, and the Python callables that stand behind them.
#pragma once

#include <torch/csrc/autograd/python_variable.h>

#include <string>

#include "host_plain.h"
#include "host_run.h"

namespace symop {

struct Core {
  std::unique_ptr<Routine> forward;
  std::vector<std::pair<bool, int>> saved;  // (whether it is an output, its position)
  std::vector<int> wanted;
  uint64_t masks = 0;
  std::string op_name;
  std::string node_name;

  // Held for as long as a node or the Python object lives; dropped under the GIL.
  Object ask_gradient;
  Object ask_kernel;
  Object fallback;
  Object next_order;
  Object ask_loss;  // empty without a loss

  Kernels kernels;
  Published<NeedsKey, Derived> gradients;
  Published<NeedsKey, Derived> losses;

  ~Core() {
    if (!Py_IsInitialized()) {
      for (Object* object : objects()) {
        object->forget();
      }
      return;
    }
    Gil gil;
    for (Object* object : objects()) {
      *object = Object();
    }
  }

  std::array<Object*, 5> objects() {
    return {&ask_gradient, &ask_kernel, &fallback, &next_order, &ask_loss};
  }

  // The routine of the gradients of a set of wanted arguments.
  const Derived* gradient(uint64_t needs) {
    const NeedsKey key{needs, 0};
    const Derived* derived = gradients.find(key);
    return derived != nullptr ? derived : asked_gradient(key);
  }

  // The routine that computes the value with the gradients of some 0-d arguments.
  const Derived* loss(uint64_t scalars, uint64_t needs) {
    const NeedsKey key{needs, scalars};
    const Derived* derived = losses.find(key);
    return derived != nullptr ? derived : asked_loss(key);
  }

 private:
  const Derived* asked_gradient(const NeedsKey& key) {
    Gil gil;
    Object answer = Object::checked(PyObject_CallFunction(
        ask_gradient.get(), "K", static_cast<unsigned long long>(key.needs)));
    auto derived = std::make_unique<Derived>();
    derived->key = key;
    if (answer.get() != Py_None) {
      PyObject* parts =
          Reader::tuple(answer.get(), "a gradient has routine, inputs and kept values", 3);
      derived->routine = read_routine(PyTuple_GET_ITEM(parts, 0));
      derived->inputs = Reader::indices(
          PyTuple_GET_ITEM(parts, 1), saved.size() + forward->n_outputs, "no input of a gradient");
      for (int kept : Reader::indices(PyTuple_GET_ITEM(parts, 2), saved.size(), "no saved value")) {
        derived->kept |= uint64_t{1} << kept;
      }
      for (int input : derived->inputs) {
        if (static_cast<size_t>(input) < saved.size()) {
          derived->kept |= uint64_t{1} << input;
        }
      }
      check(*derived, __builtin_popcountll(key.needs), derived->inputs.size());
    }
    return gradients.add(std::move(derived));
  }

  const Derived* asked_loss(const NeedsKey& key) {
    Gil gil;
    Object answer = Object::checked(PyObject_CallFunction(
        ask_loss.get(), "KK", static_cast<unsigned long long>(key.scalars),
        static_cast<unsigned long long>(key.needs)));
    auto derived = std::make_unique<Derived>();
    derived->key = key;
    if (answer.get() != Py_None) {
      derived->routine = read_routine(answer.get());
      check(*derived, 1 + __builtin_popcountll(key.scalars), forward->n_tensors);
    }
    return losses.add(std::move(derived));
  }

  void check(const Derived& derived, size_t n_outputs, size_t n_tensors) const {
    const Routine& routine = *derived.routine;
    if (routine.n_shapes != forward->n_shapes || routine.n_outputs != n_outputs ||
        routine.n_tensors != n_tensors) {
      refuse("it has not the arguments and results that were asked for");
    }
  }
};

}  // namespace symop
