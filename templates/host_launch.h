// One call of a kernel for a loop, or several where its results reduce different axes.
#pragma once

#include <c10/util/SmallVector.h>

#include "host_tables.h"

namespace symop {

constexpr int64_t kReleaseGil = 32768;  // elements; below, letting go of the GIL costs more

class Launcher {
 public:
  const int dtype;

 protected:
  c10::SmallVector<void*, 8> pointers_;  // one an operand of a loop
  c10::SmallVector<int64_t, 16> strides_;
  c10::SmallVector<double, 2> numbers_;

  // `ask` is the callable that makes kernels.
  Launcher(int dtype, Kernels& kernels, PyObject* ask, bool has_gil)
      : dtype(dtype), kernels_(kernels), ask_(ask), has_gil_(has_gil) {}

  // Runs a loop over the operands that were put in, all inputs and the wanted results; false where
  // there is no kernel for it.
  bool launch(const Loop& loop, int64_t ndim, const int64_t* sizes, uint64_t uniform,
              uint32_t reduced, uint32_t wanted, int64_t count) {
    if (wanted == 0) {
      return true;
    }
    const KernelKey key{loop.id, dtype, uniform, reduced, wanted};
    const Kernel* kernel = kernels_.find(loop, key, ask_);
    if (kernel->entry == nullptr) {
      return false;
    }
    const Released released(has_gil_ && count > kReleaseGil);
    const int64_t code =
        kernel->entry(ndim, sizes, pointers_.data(), strides_.data(), numbers_.data());
    if (code == 3) {
      return false;  // an extremum of no elements, which operations explain
    }
    return code == 0 || (code == 2 && launch_parts(loop, ndim, sizes, key)) || failed(code);
  }

 private:
  Kernels& kernels_;
  PyObject* ask_;
  const bool has_gil_;

  // The results that are stored in one call, then each that is reduced in a call of its own.
  bool launch_parts(const Loop& loop, int64_t ndim, const int64_t* sizes, const KernelKey& key) {
    c10::SmallVector<uint32_t, 8> parts;
    const uint32_t stores = key.wanted & ~key.reduced;
    if (stores != 0) {
      parts.push_back(stores);
    }
    for (size_t k = 0; k < loop.results.size(); ++k) {
      if ((key.reduced >> k & 1) != 0) {
        parts.push_back(uint32_t{1} << k);
      }
    }
    const size_t n_inputs = loop.inputs.size();
    for (const uint32_t wanted : parts) {
      const KernelKey part{key.loop, key.dtype, key.uniform, key.reduced & wanted, wanted};
      const Kernel* kernel = kernels_.find(loop, part, ask_);
      if (kernel->entry == nullptr) {
        return false;
      }
      c10::SmallVector<void*, 8> pointers(pointers_.begin(), pointers_.begin() + n_inputs);
      c10::SmallVector<int64_t, 16> strides(strides_.begin(), strides_.begin() + n_inputs * ndim);
      size_t at = n_inputs;  // of the results that were put in
      for (size_t k = 0; k < loop.results.size(); ++k) {
        if ((wanted >> k & 1) != 0) {
          const auto from = strides_.begin() + at * ndim;
          pointers.push_back(pointers_[at]);
          strides.append(from, from + ndim);
        }
        at += key.wanted >> k & 1;
      }
      const int64_t code =
          kernel->entry(ndim, sizes, pointers.data(), strides.data(), numbers_.data());
      if (code != 0) {
        return failed(code);
      }
    }
    return true;
  }

  [[noreturn]] static bool failed(int64_t code) {
    TORCH_CHECK(code != 1, "DefaultCPUAllocator: not enough memory for the temporaries of a kernel");
    TORCH_CHECK(false, "a kernel gave the unknown code ", code);
  }
};

}  // namespace symop
