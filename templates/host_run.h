// Running a routine over tensors: results, temps, and one call of a kernel for each loop.
#pragma once

#include "host_launch.h"
#include "host_layout.h"

namespace symop {

enum class Outcome {
  done,
  misfit,     // shapes do not fit: someone else is to explain it
  no_kernel,  // a kernel that is needed cannot be made
};

// All types of elements have this zero.
inline const uint64_t kZero = 0;

class Run : Launcher {
 public:
  using Launcher::dtype;
  const Routine& routine;
  const Shapes& shapes;
  // Where results after the first go, in the type that is computed in, eight bytes each; where
  // there is none, every result is a tensor.
  uint64_t* cells = nullptr;

  c10::SmallVector<const at::Tensor*, 8> tensors;  // null stands for zeros
  c10::SmallVector<at::Tensor, 2> outputs;

  Run(const Routine& routine, const Shapes& shapes, int dtype, Kernels& kernels, PyObject* ask,
      bool has_gil)
      : Launcher(dtype, kernels, ask, has_gil), routine(routine), shapes(shapes) {}

  Outcome operator()() {
    if (shapes.is_common && !routine.shrinks && routine.slots.size() <= 64) {
      const Outcome outcome = flat();
      if (outcome != Outcome::misfit) {
        return outcome;
      }
      outputs.clear();
    }
    return general();
  }

 private:
  c10::SmallVector<void*, 8> data_;  // one a slot
  Scratch scratch_;

  size_t temp_size() const {
    return routine.temp_is_double || dtype == 1 ? 8 : 4;
  }

  // Takes the memory of a tensor; whether it is there, as it is not after resizing the storage away.
  bool read(const at::Tensor& tensor) {
    data_.push_back(const_cast<void*>(tensor.const_data_ptr()));
    return data_.back() != nullptr || tensor.numel() == 0;
  }

  // ---- one index for everything: all operands are of one shape and layout, or one number ----

  Outcome flat() {
    const Sizes common(shapes.common);
    const at::Tensor* lead = nullptr;
    bool contiguous = false;
    uint64_t wide = 0;  // bits of the slots with an element for each index
    data_.clear();
    for (size_t k = 0; k < routine.n_tensors; ++k) {
      const at::Tensor* tensor = tensors[k];
      if (tensor == nullptr) {
        data_.push_back(const_cast<uint64_t*>(&kZero));
        continue;
      }
      if (!is_full(routine.slots[k].frame)) {
        if (tensor->dim() != 0) {
          return Outcome::misfit;
        }
      } else {
        if (tensor->sizes() != common) {
          return Outcome::misfit;
        }
        if (tensor->is_contiguous()) {
          if (lead != nullptr) {
            return Outcome::misfit;
          }
          contiguous = true;
          wide |= bit(k);
        } else if (!is_repeated(*tensor)) {
          const bool follows = lead == nullptr ? tensor->is_non_overlapping_and_dense()
                                               : tensor->strides() == lead->strides();
          if (contiguous || !follows) {
            return Outcome::misfit;
          }
          lead = lead == nullptr ? tensor : lead;
          wide |= bit(k);
        }
      }
      if (!read(*tensor)) {
        return Outcome::misfit;
      }
    }
    const int64_t count = shapes.full == 0 ? 1 : numel(common);
    for (size_t k = 0; k < routine.n_outputs; ++k) {
      const size_t slot = routine.n_tensors + k;
      if (k > 0 && cells != nullptr) {
        data_.push_back(cells + (k - 1));
        continue;
      }
      const bool full = is_full(routine.slots[slot].frame);
      wide |= full ? bit(slot) : 0;
      if (const int same = routine.slots[slot].same; same != 0 && tensors[same - 1] != nullptr &&
          full == is_full(routine.slots[same - 1].frame)) {
        outputs.push_back(*tensors[same - 1]);
        data_.push_back(nullptr);
        continue;
      }
      outputs.push_back(
          full && lead != nullptr ? empty(common, lead->strides(), scalar_type(dtype))
                                  : empty(full ? common : Sizes(), scalar_type(dtype)));
      data_.push_back(outputs.back().mutable_data_ptr());
    }
    for (size_t slot = data_.size(); slot < routine.slots.size(); ++slot) {
      const bool full = is_full(routine.slots[slot].frame);
      wide |= full ? bit(slot) : 0;
      data_.push_back(scratch_.take(temp_size() * (full ? count : 1)));
    }
    for (const Loop& loop : routine.loops) {
      const int64_t n = is_full(loop.frame) ? count : 1;
      pointers_.clear();
      strides_.clear();
      uint64_t uniform = 0;
      uint32_t reduced = 0;
      for (size_t k = 0; k < loop.inputs.size(); ++k) {
        uniform |= flat_operand(loop.inputs[k], wide, n) ? 0 : bit(k);
      }
      uint32_t wanted = 0;
      for (size_t k = 0; k < loop.results.size(); ++k) {
        if (is_stored(loop.results[k])) {
          wanted |= uint32_t{1} << k;
          reduced |= flat_operand(loop.results[k], wide, n) ? 0 : uint32_t{1} << k;
        }
      }
      numbers_.clear();
      for (const auto& [source, target] : loop.numbers) {
        const double above = is_full(source) ? static_cast<double>(count) : 1.0;
        numbers_.push_back(above / (is_full(target) ? static_cast<double>(count) : 1.0));
      }
      if (!launch(loop, 1, &n, uniform, reduced, wanted, n)) {
        return Outcome::no_kernel;
      }
    }
    return Outcome::done;
  }

  // Whether a result goes into memory, and is not a tensor that was there before.
  bool is_stored(int slot) const {
    const int same = routine.slots[slot].same;
    if (same == 0 || cells != nullptr || tensors[same - 1] == nullptr) {
      return true;
    }
    return !outputs[static_cast<size_t>(slot) - routine.n_tensors].is_same(*tensors[same - 1]);
  }

  bool is_full(int frame) const {
    return (routine.frames[frame].arguments & shapes.full) != 0;
  }

  bool flat_operand(int slot, uint64_t wide, int64_t n) {
    const bool steps = n == 1 || (wide >> slot & 1) != 0;
    pointers_.push_back(data_[slot]);
    strides_.push_back(steps ? 1 : 0);
    return steps;
  }

  static uint64_t bit(size_t k) {
    return uint64_t{1} << k;
  }

  // Whether a tensor is one number seen many times.
  static bool is_repeated(const at::Tensor& tensor) {
    const Sizes sizes = tensor.sizes();
    const Sizes strides = tensor.strides();
    for (size_t k = 0; k < sizes.size(); ++k) {
      if (sizes[k] != 1 && strides[k] != 0) {
        return false;
      }
    }
    return true;
  }

  // ---- any shapes and strides ----

  Outcome general() {
    std::vector<Dims> frames;
    std::vector<Dims> twos;
    if (!frame_sizes(routine, [&](size_t k) { return shapes.of(k); }, frames) ||
        (routine.shrinks && !dropped_axes(routine, shapes, twos))) {
      return Outcome::misfit;
    }
    std::vector<Dims> steps;  // the strides of each slot, along the axes of its frame
    data_.clear();
    for (size_t k = 0; k < routine.n_tensors; ++k) {
      const Slot& slot = routine.slots[k];
      const at::Tensor* tensor = tensors[k];
      if (tensor == nullptr) {
        data_.push_back(const_cast<uint64_t*>(&kZero));
        steps.emplace_back(frames[slot.frame].size(), 0);
        continue;
      }
      if (tensor->sizes() != Sizes(kept_sizes(slot, frames, twos)) || !read(*tensor)) {
        return Outcome::misfit;
      }
      steps.push_back(with_dropped(slot, frames, twos, tensor->strides()));
    }
    for (size_t k = 0; k < routine.n_outputs; ++k) {
      const Slot& slot = routine.slots[routine.n_tensors + k];
      if (k > 0 && cells != nullptr) {
        data_.push_back(cells + (k - 1));
        steps.emplace_back(frames[slot.frame].size(), 0);
        continue;
      }
      const Dims sizes = kept_sizes(slot, frames, twos);
      if (slot.same != 0 && tensors[slot.same - 1] != nullptr &&
          tensors[slot.same - 1]->sizes() == Sizes(sizes)) {
        outputs.push_back(*tensors[slot.same - 1]);
        data_.push_back(nullptr);
        steps.emplace_back(frames[slot.frame].size(), 0);
        continue;
      }
      outputs.push_back(empty_ordered(sizes, order_of(slot, sizes), scalar_type(dtype)));
      data_.push_back(outputs.back().mutable_data_ptr());
      steps.push_back(with_dropped(slot, frames, twos, outputs.back().strides()));
    }
    for (size_t k = data_.size(); k < routine.slots.size(); ++k) {
      const Dims& sizes = frames[routine.slots[k].frame];
      data_.push_back(scratch_.take(temp_size() * numel(sizes)));
      steps.push_back(contiguous_steps(sizes));
    }
    for (const Loop& loop : routine.loops) {
      const Dims& sizes = frames[loop.frame];
      const int64_t count = numel(sizes);
      pointers_.clear();
      strides_.clear();
      uint64_t uniform = 0;
      uint32_t reduced = 0;
      for (size_t k = 0; k < loop.inputs.size(); ++k) {
        const int slot = loop.inputs[k];
        bool is_uniform = count != 1;
        operand(slot, frames[routine.slots[slot].frame], steps[slot], sizes, [&](bool varies, bool) {
          is_uniform = is_uniform && !varies;
        });
        uniform |= is_uniform ? bit(k) : 0;
      }
      uint32_t wanted = 0;
      for (size_t k = 0; k < loop.results.size(); ++k) {
        const int slot = loop.results[k];
        if (!is_stored(slot)) {
          continue;
        }
        wanted |= uint32_t{1} << k;
        bool is_reduced = false;
        operand(slot, frames[routine.slots[slot].frame], steps[slot], sizes, [&](bool, bool less) {
          is_reduced = is_reduced || less;
        });
        reduced |= is_reduced ? uint32_t{1} << k : 0;
      }
      numbers_.clear();
      for (const auto& [source, target] : loop.numbers) {
        numbers_.push_back(
            static_cast<double>(numel(frames[source])) /
            static_cast<double>(numel(frames[target])));
      }
      if (!launch(loop, static_cast<int64_t>(sizes.size()), sizes.data(), uniform, reduced, wanted,
                  count)) {
        return Outcome::no_kernel;
      }
    }
    return Outcome::done;
  }

  // Puts in the pointer and strides of a slot; `visit` is told of each axis of the loop that is
  // longer than 1 whether the slot moves along it, and whether the slot is shorter there.
  template <class Visit>
  void operand(int slot, const Dims& own, const Dims& steps, const Dims& sizes, Visit visit) {
    TORCH_INTERNAL_ASSERT(own.size() <= sizes.size(), "a slot has more axes than its loop");
    const size_t offset = sizes.size() - own.size();
    pointers_.push_back(data_[slot]);
    for (size_t k = 0; k < sizes.size(); ++k) {
      const int64_t size = k < offset ? 1 : own[k - offset];
      TORCH_INTERNAL_ASSERT(size == sizes[k] || size == 1, "a slot is longer than its loop");
      const int64_t stride = size == sizes[k] && k >= offset && size != 1 ? steps[k - offset] : 0;
      strides_.push_back(stride);
      visit(stride != 0, size != sizes[k]);
    }
  }

  static bool is_dropped(const Slot& slot, const std::vector<Dims>& twos, size_t axis) {
    return slot.dropped && twos[slot.frame][axis] == 1;
  }

  static Dims kept_sizes(
      const Slot& slot, const std::vector<Dims>& frames, const std::vector<Dims>& twos) {
    if (!slot.dropped) {
      return frames[slot.frame];
    }
    Dims kept;
    for (size_t axis = 0; axis < frames[slot.frame].size(); ++axis) {
      if (!is_dropped(slot, twos, axis)) {
        kept.push_back(frames[slot.frame][axis]);
      }
    }
    return kept;
  }

  static Dims with_dropped(
      const Slot& slot, const std::vector<Dims>& frames, const std::vector<Dims>& twos,
      Sizes strides) {
    Dims all;
    size_t at = 0;
    for (size_t axis = 0; axis < frames[slot.frame].size(); ++axis) {
      all.push_back(is_dropped(slot, twos, axis) ? 0 : strides[at++]);
    }
    return all;
  }

  static Dims contiguous_steps(const Dims& sizes) {
    Dims strides(sizes.size());
    int64_t stride = 1;
    for (size_t k = sizes.size(); k-- > 0;) {
      strides[k] = stride;
      stride *= sizes[k];
    }
    return strides;
  }

  // The order of the axes of a result: that of the first tensor of its shape.
  Dims order_of(const Slot& slot, Sizes sizes) const {
    if (slot.dropped) {
      return {};
    }
    for (const at::Tensor* tensor : tensors) {
      if (tensor == nullptr || tensor->sizes() != sizes) {
        continue;
      }
      if (tensor->is_contiguous()) {
        return {};
      }
      bool repeats = false;
      for (size_t k = 0; k < sizes.size(); ++k) {
        repeats = repeats || (sizes[k] > 1 && tensor->strides()[k] == 0);
      }
      if (!repeats) {
        return axis_order(sizes, tensor->strides());
      }
    }
    return {};
  }
};

}  // namespace symop
